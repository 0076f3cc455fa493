//! Networks that everyone knows, written in SNAP: they have as many parameters, and take as many
//! multiply-adds, as torchvision 0.29 says of its own (the metadata `num_params` and `_ops` of its
//! weights), and for those it does not have, as is said at the test.

use snapc::diagnostic::Source;
use snapc::graph::{self, Summary};
use snapc::{syntax, types};

fn summary(text: &str, net: &str) -> Summary {
    let parsed = syntax::parse(&Source::new("networks.snap", text));
    assert_eq!(parsed.diagnostics, []);
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, []);
    let net = checked.program.named(net).expect("it is defined");
    graph::summarise(&graph::build(&checked.program, net).expect("it is complete"))
}

/// Compares with the parameters, and the multiply-adds in thousands of millions to three digits.
fn check(text: &str, net: &str, parameters: i64, billions: f64) {
    let summary = summary(text, net);
    assert_eq!(summary.parameters.constant(), Some(parameters), "{net}");
    let count = summary.multiply_adds.constant().expect("a number") as f64;
    let difference = (count / 1e9 - billions).abs();
    assert!(
        difference < 0.0051 * billions,
        "{net}: {count} for {billions}e9"
    );
}

const TRANSFORMER: &str = "
block mlp(n) : [t, d] -> [t, d] = dense(n) gelu dense(d)
block encoder(heads, n) : [t, d] -> [t, d] =
    dup ln(1e-6) attention(heads) add
    dup ln(1e-6) mlp(n) add
net vit_b_16 : [3, 224, 224] -> [1000] =
    conv(16, 768, stride: 16, pad: 0, bias: true) tokens class_token positions
    encoder(12, 3072) * 12
    ln(1e-6) token(0) dense(1000)
block mixer(tokens, channels) : [t, d] -> [t, d] =
    dup ln(1e-6) transpose mlp(tokens) transpose add
    dup ln(1e-6) mlp(channels) add
net mixer_b_16 : [3, 224, 224] -> [1000] =
    conv(16, 768, stride: 16, pad: 0, bias: true) tokens
    mixer(384, 3072) * 12
    ln(1e-6) token_mean dense(1000)
";

#[test]
fn vision_transformer() {
    check(TRANSFORMER, "vit_b_16", 86_567_656, 17.564);
}

/// The numbers of `mixer_b16_224` in timm; Tolstikhin et al. (2021) give 59 million parameters.
#[test]
fn mlp_mixer() {
    check(TRANSFORMER, "mixer_b_16", 59_880_472, 12.61);
}

#[test]
fn convnext() {
    let text = "
block stage : [c, h, w] -> [c, h, w] =
    dup dwconv(7, bias: true) ln(1e-6) conv(1, 4 * c, bias: true) gelu conv(1, c, bias: true)
    layer_scale drop_path(0.1) add
block down(n) = ln(1e-6) conv(2, n, stride: 2, pad: 0, bias: true)
net convnext_tiny : [3, 224, 224] -> [1000] =
    conv(4, 96, stride: 4, pad: 0, bias: true) ln(1e-6) stage * 3
    down(192) stage * 3
    down(384) stage * 9
    down(768) stage * 3
    gap ln(1e-6) dense(1000)
";
    check(text, "convnext_tiny", 28_589_128, 4.456);
}

#[test]
fn efficientnet() {
    let text = "
block excite(n) : [c, h, w] -> [c, h, w] = dup gap dense(n) silu dense(c) sigmoid scale
block first : [c, h, w] -> [16, h, w] = dwconv(3) bn silu excite(8) conv(1, 16) bn
block body(k, n, s) : [c, h, w] -> [n, (h - 1) // s + 1, (w - 1) // s + 1] =
    conv(1, 6 * c) bn silu dwconv(k, stride: s) bn silu excite(c // 4) conv(1, n) bn
block again(k) : [c, h, w] -> [c, h, w] = dup body(k, c, 1) drop_path(0.1) add
net efficientnet_b0 : [3, 224, 224] -> [1000] =
    conv(3, 32, stride: 2) bn silu first
    body(3, 24, 2) again(3)
    body(5, 40, 2) again(5)
    body(3, 80, 2) again(3) * 2
    body(5, 112, 1) again(5) * 2
    body(5, 192, 2) again(5) * 3
    body(3, 320, 1)
    conv(1, 1280) bn silu gap dropout(0.2) dense(1000)
";
    check(text, "efficientnet_b0", 5_288_548, 0.386);
}

#[test]
fn mobilenet() {
    let text = "
block excite(n) : [c, h, w] -> [c, h, w] = dup gap dense(n) relu dense(c) hardsigmoid scale
block re(k, e, n, s) = conv(1, e) bn relu dwconv(k, stride: s) bn relu conv(1, n) bn
block hs(k, e, n, s) = conv(1, e) bn hardswish dwconv(k, stride: s) bn hardswish conv(1, n) bn
block re_se(k, e, q, n, s) =
    conv(1, e) bn relu dwconv(k, stride: s) bn relu excite(q) conv(1, n) bn
block hs_se(k, e, q, n, s) =
    conv(1, e) bn hardswish dwconv(k, stride: s) bn hardswish excite(q) conv(1, n) bn
net mobilenet_v3_large : [3, 224, 224] -> [1000] =
    conv(3, 16, stride: 2) bn hardswish
    dup dwconv(3) bn relu conv(1) bn add
    re(3, 64, 24, 2) dup re(3, 72, 24, 1) add
    re_se(5, 72, 24, 40, 2) { dup re_se(5, 120, 32, 40, 1) add } * 2
    hs(3, 240, 80, 2) dup hs(3, 200, 80, 1) add { dup hs(3, 184, 80, 1) add } * 2
    hs_se(3, 480, 120, 112, 1) dup hs_se(3, 672, 168, 112, 1) add
    hs_se(5, 672, 168, 160, 2) { dup hs_se(5, 960, 240, 160, 1) add } * 2
    conv(1, 960) bn hardswish gap dense(1280) hardswish dropout(0.2) dense(1000)
";
    check(text, "mobilenet_v3_large", 5_483_032, 0.217);
}

/// The first stage of Swin-T; its layers between stages need no word of their own, but the first
/// stage has all that is its own: 3 heads, windows of 7, every other one shifted.
#[test]
fn swin_stage() {
    let text = "
block swin(heads, s) : [c, h, w] -> [c, h, w] =
    dup ln window_attention(heads, 7, shift: s) add
    dup ln conv(1, 4 * c, bias: true) gelu conv(1, c, bias: true) add
net stage : [3, 224, 224] -> [96, 56, 56] =
    conv(4, 96, stride: 4, pad: 0, bias: true) ln swin(3, 0) swin(3, 3)
";
    let summary = summary(text, "stage");
    // The convolution and norm of the start, then for each block two norms, the attention with its
    // table of 13 * 13 * 3, and the two layers.
    let start = 3 * 16 * 96 + 96 + 2 * 96;
    let attention = 4 * 96 * 96 + 4 * 96 + 13 * 13 * 3;
    let block = 4 * 96 + attention + 8 * 96 * 96 + 5 * 96;
    assert_eq!(summary.parameters.constant(), Some(start + 2 * block));
}

/// Radford et al. (2019): 124,439,808 parameters, among them the table once; here the last layer has
/// one of its own.
#[test]
fn gpt2() {
    let text = "
block layer(heads) : [t, d] -> [t, d] =
    dup ln attention(heads, causal: true) add
    dup ln dense(4 * d) gelu_tanh dense(d) add
net gpt2 : [1024] -> [1024, 50257] =
    embedding(50257, 768) positions layer(12) * 12 ln dense(50257, bias: false)
";
    let summary = summary(text, "gpt2");
    let shared = 50_257 * 768;
    assert_eq!(summary.parameters.constant(), Some(124_439_808 + shared));
}

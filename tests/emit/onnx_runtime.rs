//! Networks against what ONNX Runtime computed with the models that are emitted for them: `tests/fixtures/emit` has that.
//! `python benches/oracle/emit.py --fixtures` makes the files.

use candle_core::Device;
use flate2::Crc;
use prost::Message;
use snapc::backend::{Mode, Network};
use snapc::emit;

use super::pytorch::{assert_close, fixture, numbered, part};
use super::{LAYERS, graphs};

/// A model of which the graph is left as it is written.
#[derive(Clone, PartialEq, Message)]
struct Unread {
    #[prost(bytes = "vec", tag = "7")]
    graph: Vec<u8>,
}

#[test]
fn networks_compute_what_their_onnx_models_do() {
    for graph in graphs(LAYERS) {
        let name = graph.name.clone();
        let fixture = fixture(&name);
        let tensors = part(&fixture, "weights.");
        let numbers = tensors.iter().map(|(name, tensor)| {
            let flat = tensor.flatten_all().expect("numbers");
            (name.clone(), flat.to_vec1().expect("numbers"))
        });
        let bytes = emit::onnx(&graph, &numbers.collect()).expect("a model");
        let model = Unread::decode(bytes.as_slice()).expect("a message");
        let mut checksum = Crc::new();
        checksum.update(&model.graph);
        let known = fixture["onnx.checksum"].to_scalar::<i64>();
        assert_eq!(
            i64::from(checksum.sum()),
            known.expect("a number"),
            "another model than ONNX Runtime ran is emitted for `{name}`: make the fixtures anew"
        );
        let network = Network::compile(&graph, &Device::Cpu, 0).expect("a network");
        network.load_tensors(&tensors).expect("the weights fit");
        let inputs = numbered(&part(&fixture, "input."));
        let outputs = network.forward_all(&inputs, Mode::Evaluate);
        let outputs = outputs.expect("it runs");
        let expected = numbered(&part(&fixture, "onnx.output."));
        assert_eq!(outputs.len(), expected.len());
        for (output, expected) in outputs.iter().zip(&expected) {
            assert_close(&name, output, expected);
        }
    }
}

//! The holes of a net: in which order they are filled, and where they are met.

use std::collections::HashSet;

use compact_str::CompactString;

use super::{MAXIMUM_FILLING, MAXIMUM_SYMBOLS, SEPARATOR};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::types::{
    Calls, Checked, DefinitionId, HoleSite, Interpreter, Kind, MAXIMUM_OPERATIONS, Numbers, Pull,
    Role, Stop, WrittenHole,
};

/// A hole that the search fills.
#[derive(Clone, Debug)]
pub(super) struct OpenHole {
    pub(super) written: WrittenHole,
    /// What each opcode stands for in this hole, if anything.
    pub(super) definitions: Vec<Option<DefinitionId>>,
}

impl OpenHole {
    pub(super) fn span(&self) -> Span {
        self.written.hole.span
    }

    pub(super) fn minimum(&self) -> usize {
        self.written.hole.minimum as usize
    }

    pub(super) fn maximum(&self) -> usize {
        self.written.hole.maximum as usize
    }
}

/// All holes of a net, in the order in which programs fill them.
pub(super) struct Holes {
    pub(super) holes: Vec<OpenHole>,
    /// Where each hole is met, as far as that is known before any is filled.
    pub(super) sites: Vec<Vec<HoleSite>>,
    /// The characters of all alphabets, and behind them the separator if there are several holes.
    pub(super) symbols: Vec<char>,
}

/// Finds the holes of a net.
///
/// # Errors
///
/// If there is none, or if they can't be filled together.
pub(super) fn find_holes(checked: &Checked, net: DefinitionId) -> Result<Holes, Box<Diagnostic>> {
    let open = checked.program.open_definitions(net);
    let met = places(checked, net, &open)?;
    let written = open.iter().flat_map(|id| checked.program.holes(*id));
    let mut written: Vec<WrittenHole> = written.collect();
    written.sort_by_key(|hole| (hole.hole.span.source, hole.hole.span.start));
    match written.first() {
        None => return Err(no_hole(checked, net)),
        Some(hole) if met.is_empty() => return Err(never_met(hole)),
        Some(_) => {}
    }
    check_places(checked, net, &written, &met)?;
    check_lengths(&written)?;
    let written = in_order(checked, written);
    check_weights(checked, &written, &met)?;
    let symbols = vocabulary(checked, &written)?;
    let its_sites = |hole: &WrittenHole| {
        let its = met.iter().filter(|site| site.written == *hole);
        its.cloned().collect()
    };
    Ok(Holes {
        sites: written.iter().map(its_sites).collect(),
        holes: written
            .into_iter()
            .map(|written| OpenHole {
                written,
                definitions: meanings(checked, written.alphabet, &symbols),
            })
            .collect(),
        symbols,
    })
}

/// The places where holes are met before any is filled, each distinct one once, those in the net
/// first. A block with a signature adds those in itself: it must type-check for every shape its
/// signature promises.
fn places(
    checked: &Checked,
    net: DefinitionId,
    open: &[DefinitionId],
) -> Result<Vec<HoleSite>, Box<Diagnostic>> {
    let mut sites = Vec::new();
    add_sites(&mut sites, holes_met(checked, net, Vec::new())?);
    for id in open {
        let definition = checked.program.definition(*id);
        if definition.kind == Kind::Block && definition.signature.is_some() {
            add_sites(&mut sites, holes_met(checked, *id, definition.rigid())?);
        }
    }
    Ok(sites)
}

/// Adds the places that are not known yet.
pub(super) fn add_sites(sites: &mut Vec<HoleSite>, others: Vec<HoleSite>) {
    for other in others {
        if !sites.iter().any(|site| is_same_place(site, &other)) {
            sites.push(other);
        }
    }
}

/// Whether the same fillings fit at two places. The steps that follow a hole are always the same.
pub(super) fn is_same_place(site: &HoleSite, other: &HoleSite) -> bool {
    site.written == other.written
        && site.before == other.before
        && site.after == other.after
        && site.environment == other.environment
        && site.rigid == other.rigid
        && site.weights == other.weights
}

/// The places where holes are met while a definition is expanded.
///
/// # Errors
///
/// If a hole is met with sizes that are not known.
pub(super) fn holes_met(
    checked: &Checked,
    id: DefinitionId,
    rigid: Vec<(CompactString, Role)>,
) -> Result<Vec<HoleSite>, Box<Diagnostic>> {
    let budget = MAXIMUM_OPERATIONS as u64 * 16;
    let mut interpreter =
        Interpreter::new(&checked.program, Calls::Expand, Pull::Forbidden, (), budget);
    interpreter.rigid = rigid;
    match interpreter.run(id, Numbers::Unknown) {
        Ok(()) | Err(Stop::Open | Stop::Failed) => {}
        Err(Stop::Error(diagnostic)) => return Err(diagnostic),
    }
    match interpreter.holes_of_unknown_size.first() {
        Some(hole) => Err(unknown_size(*hole)),
        None => Ok(interpreter.holes),
    }
}

/// The holes in the order in which they are written, but each behind those whose fillings decide what
/// it finds.
fn in_order(checked: &Checked, written: Vec<WrittenHole>) -> Vec<WrittenHole> {
    let behind = |hole: &WrittenHole| checked.program.holes_behind(hole);
    let mut waiting: Vec<(WrittenHole, Vec<Span>)> =
        written.iter().map(|hole| (*hole, behind(hole))).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |hole: &WrittenHole| {
            let mut behind = waiting.iter().flat_map(|(_, behind)| behind);
            behind.all(|span| *span != hole.hole.span)
        };
        // Definitions don't call themselves, so there is always one.
        let next = waiting.iter().position(|(hole, _)| is_free(hole));
        ordered.push(waiting.remove(next.unwrap_or(0)).0);
    }
    ordered
}

/// The characters of all alphabets, those of the first hole first, and the separator.
fn vocabulary(checked: &Checked, written: &[WrittenHole]) -> Result<Vec<char>, Box<Diagnostic>> {
    let mut symbols: Vec<char> = Vec::new();
    for hole in written {
        let alphabet = &checked.program.alphabets[hole.alphabet];
        for (symbol, _) in &alphabet.symbols {
            if !symbols.contains(symbol) {
                symbols.push(*symbol);
            }
        }
    }
    if written.len() > 1 {
        symbols.push(SEPARATOR);
    }
    match symbols.len() > MAXIMUM_SYMBOLS {
        true => Err(too_large(written)),
        false => Ok(symbols),
    }
}

/// What the characters mean in an alphabet.
fn meanings(checked: &Checked, alphabet: usize, symbols: &[char]) -> Vec<Option<DefinitionId>> {
    let alphabet = &checked.program.alphabets[alphabet].symbols;
    let meaning = |symbol: &char| {
        let own = alphabet.iter().find(|(character, _)| character == symbol);
        own.map(|(_, definition)| *definition)
    };
    symbols.iter().map(meaning).collect()
}

fn check_lengths(written: &[WrittenHole]) -> Result<(), Box<Diagnostic>> {
    let separators = written.len() as u64 - 1;
    let longest = written.iter().map(|hole| u64::from(hole.hole.maximum));
    match longest.sum::<u64>() + separators > u64::from(MAXIMUM_FILLING) {
        true => Err(too_large(written)),
        false => Ok(()),
    }
}

/// Every hole must be met, or nothing tells what fits, and stand in the file of the net, into which
/// fillings are written.
fn check_places(
    checked: &Checked,
    net: DefinitionId,
    written: &[WrittenHole],
    met: &[HoleSite],
) -> Result<(), Box<Diagnostic>> {
    let own = checked.program.definition(net).span.source;
    if let Some(hole) = written.iter().find(|hole| hole.hole.span.source != own) {
        return Err(hole_elsewhere(hole));
    }
    let met: HashSet<Span> = met.iter().map(|site| site.written.hole.span).collect();
    let behind = written.iter();
    let behind: HashSet<Span> = behind
        .flat_map(|hole| checked.program.holes_behind(hole))
        .collect();
    let is_met = |hole: &&WrittenHole| {
        let span = &hole.hole.span;
        met.contains(span) || behind.contains(span)
    };
    match written.iter().find(|hole| !is_met(hole)) {
        Some(hole) => Err(never_met(hole)),
        None => Ok(()),
    }
}

/// What fills one hole must not have to do with the weights in another.
fn check_weights(
    checked: &Checked,
    written: &[WrittenHole],
    met: &[HoleSite],
) -> Result<(), Box<Diagnostic>> {
    let named = checked.program.names_weights();
    for (place, first) in written.iter().enumerate() {
        let behind = match named {
            true => checked.program.holes_behind(first),
            false => Vec::new(),
        };
        for second in &written[place + 1..] {
            let of = |hole: &WrittenHole| {
                let span = hole.hole.span;
                met.iter()
                    .filter(move |site| site.written.hole.span == span)
            };
            let mut pairs = of(first).flat_map(|one| of(second).map(move |other| (one, other)));
            let may_share = pairs.any(|(one, other)| one.weights.may_share_with(&other.weights));
            if may_share || behind.contains(&second.hole.span) {
                return Err(weights_between(first, second));
            }
        }
    }
    Ok(())
}

pub(super) fn no_hole(checked: &Checked, net: DefinitionId) -> Box<Diagnostic> {
    let net = checked.program.definition(net);
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            format!(
                "the net `{}` has no hole that the search could fill",
                net.name
            ),
            net.name_span,
            "no hole in here",
        )
        .with_help("leave a part of it open with `?` or `?{2..12}`"),
    )
}

fn too_large(written: &[WrittenHole]) -> Box<Diagnostic> {
    let (together, label) = match written.len() {
        1 => ("", "this hole is too large"),
        _ => (" for all holes together", "the first of several holes"),
    };
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            format!(
                "a search uses at most {MAXIMUM_SYMBOLS} symbols and programs of at most \
                 {MAXIMUM_FILLING}{together}"
            ),
            written
                .first()
                .map_or(Span::default(), |hole| hole.hole.span),
            label,
        )
        .with_help("use a smaller alphabet or a shorter hole"),
    )
}

fn hole_elsewhere(hole: &WrittenHole) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "the hole stands in another file than the net",
            hole.hole.span,
            "this hole",
        )
        .with_help("move the definition with the hole into the file of the net"),
    )
}

fn never_met(hole: &WrittenHole) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "the net never comes to this hole",
            hole.hole.span,
            "nothing tells what fits here",
        )
        .with_help("fill it by hand, or leave away what is not used"),
    )
}

fn unknown_size(hole: Span) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "sizes before or behind this hole depend on what fills a hole",
            hole,
            "it is not known what this must turn into what",
        )
        .with_help(
            "write `(h + 1) // 2` in place of `_` in the signature of the block with the hole",
        ),
    )
}

fn weights_between(first: &WrittenHole, second: &WrittenHole) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "what fills one of these holes decides which weights with names the other can have",
            second.hole.span,
            "this hole",
        )
        .with_label(first.hole.span, "depends on this one")
        .with_help(
            "put each hole into a block with a signature, and give their weights different names or none",
        ),
    )
}

//! Walks over the terms of a file.

use crate::syntax::tree::{File, Item, Term, TermKind};

/// The bodies of all definitions, in the order of the definitions of the program: a symbol of an
/// alphabet is one by itself, and a pattern has no terms.
pub(super) fn bodies(file: &File) -> impl Iterator<Item = &[Term]> {
    file.items.iter().flat_map(|item| -> Vec<&[Term]> {
        match item {
            Item::Block(block) => vec![&block.body],
            Item::Net(net) => vec![&net.body],
            Item::Pattern(_) => vec![&[]],
            Item::Alphabet(alphabet) => {
                let symbols = alphabet.symbols.iter();
                symbols.map(|symbol| symbol.body.as_slice()).collect()
            }
        }
    })
}

/// The bodies inside of a term, in the order of the text.
pub(super) fn inner(term: &Term) -> Vec<&[Term]> {
    match &term.kind {
        TermKind::Word { blocks, .. } => {
            let blocks = blocks.iter().flat_map(|blocks| &blocks.bodies);
            blocks.map(Vec::as_slice).collect()
        }
        TermKind::Group(body) | TermKind::For { body, .. } => vec![body],
        TermKind::If {
            branches,
            otherwise,
        } => {
            let branches = branches.iter().map(|(_, body)| body.as_slice());
            branches.chain(otherwise.as_deref()).collect()
        }
        TermKind::Pattern { .. } | TermKind::Hole { .. } | TermKind::Let(_) => Vec::new(),
    }
}

/// Visits all terms of a body, each before those inside of it.
pub(super) fn each_term<'a>(body: &'a [Term], visit: &mut dyn FnMut(&'a Term)) {
    for term in body {
        visit(term);
        for body in inner(term) {
            each_term(body, visit);
        }
    }
}

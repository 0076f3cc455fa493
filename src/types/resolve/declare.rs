//! Declarations: every definition gets its identifier, so that bodies may use what comes later.

use super::*;
use crate::operations::Word;
use compact_str::ToCompactString;

impl<'a> Resolver<'a> {
    /// Gives every definition of every file its identifier.
    pub(super) fn declare(&mut self, modules: &[Module<'a>]) {
        for module in modules {
            let mut scope = FileScope::default();
            let count = module.file.items.len();
            scope.definitions.reserve(count);
            scope.spans.reserve(count);
            self.program.definitions.reserve(count);
            self.interfaces.reserve(count);
            self.scopes.push(scope);
            self.current = self.scopes.len() - 1;
            for item in &module.file.items {
                self.declare_item(item);
            }
            if self.current == 0 {
                self.program.own = self.program.definitions.len();
            }
        }
        self.share(modules);
        if let Some(scope) = self.scopes.first() {
            let names = scope.definitions.iter();
            self.program.names = names.map(|(name, id)| ((*name).into(), *id)).collect();
        }
    }

    /// Makes the definitions of the files that a file uses known in it.
    fn share(&mut self, modules: &[Module<'a>]) {
        let own: Vec<Vec<&'a Name>> = modules
            .iter()
            .map(|module| module.file.items.iter().map(Item::name).collect())
            .collect();
        for (index, module) in modules.iter().enumerate() {
            for (&used, statement) in module.uses.iter().zip(&module.file.uses) {
                for name in &own[used] {
                    self.share_name(index, used, name, statement.path_span);
                }
            }
        }
    }

    fn share_name(&mut self, into: usize, from: usize, name: &'a Name, statement: Span) {
        let text = name.text.as_str();
        // Of two definitions of one name in a file, the first one counts.
        if self.scopes[from].spans.get(text) != Some(&name.span) {
            return;
        }
        if let Some(&other) = self.scopes[into].spans.get(text) {
            if other != name.span {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("`{text}` is defined here and in a file that is used"),
                        other,
                        "defined here",
                    )
                    .with_label(name.span, "and here")
                    .with_label(statement, "which is used here")
                    .with_help("rename one of them"),
                );
            }
            return;
        }
        self.scopes[into].spans.insert(text, name.span);
        if let Some(&id) = self.scopes[from].definitions.get(text) {
            self.scopes[into].definitions.insert(text, id);
        }
        if let Some(&alphabet) = self.scopes[from].alphabets.get(text) {
            self.scopes[into].alphabets.insert(text, alphabet);
        }
    }

    fn declare_item(&mut self, item: &'a Item) {
        let name = item.name();
        let is_new = self.declare_name(name);
        let kind = match item {
            Item::Block(_) => Kind::Block,
            Item::Net(_) => Kind::Net,
            Item::Pattern(_) => Kind::Pattern,
            Item::Alphabet(alphabet) => return self.declare_alphabet(alphabet, is_new),
        };
        let id = self.declare_definition(name, item.span(), kind, interface(item));
        self.program.definitions[id.0 as usize].documentation = item.documentation().to_string();
        if is_new {
            let scope = &mut self.scopes[self.current];
            scope.definitions.insert(&name.text, id);
        }
    }

    /// Reports a name that is a word of the language.
    pub(super) fn refuse_word(&mut self, name: &Name) -> bool {
        let is_word = Word::named(&name.text).is_some();
        if is_word {
            self.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` is a word of the language", name.text),
                    name.span,
                    "this name is taken",
                )
                .with_help("give it another name, for example with a number or a prefix"),
            );
        }
        is_word
    }

    fn declare_name(&mut self, name: &'a Name) -> bool {
        if self.refuse_word(name) {
            return false;
        }
        if let Some(&first) = self.scopes[self.current].spans.get(name.text.as_str()) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` is defined twice", name.text),
                    name.span,
                    "defined again here",
                )
                .with_label(first, "first defined here")
                .with_help("rename or remove one of them"),
            );
            return false;
        }
        self.scopes[self.current]
            .spans
            .insert(&name.text, name.span);
        true
    }

    fn declare_definition(
        &mut self,
        name: &Name,
        span: Span,
        kind: Kind,
        interface: Interface<'a>,
    ) -> DefinitionId {
        let id = DefinitionId(self.program.definitions.len() as u32);
        self.program.definitions.push(Definition {
            name: name.text.clone(),
            name_span: name.span,
            span,
            documentation: String::new(),
            kind,
            parameters: Vec::new(),
            block_parameters: Vec::new(),
            scope: Vec::new(),
            locals: 0,
            signature: None,
            body: Arc::default(),
            has_hole: false,
            broken: true,
        });
        self.interfaces.push(interface);
        id
    }

    fn declare_alphabet(&mut self, alphabet: &'a tree::Alphabet, is_new: bool) {
        let mut symbols: Vec<(char, DefinitionId)> = Vec::new();
        for symbol in &alphabet.symbols {
            let first = symbols.iter().find(|(other, _)| *other == symbol.character);
            if let Some((_, first)) = first {
                let first = self.program.definition(*first).name_span;
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!(
                            "the symbol `{}` is defined twice in `{}`",
                            symbol.character, alphabet.name.text
                        ),
                        symbol.character_span,
                        "defined again here",
                    )
                    .with_label(first, "first defined here")
                    .with_help("use another character for one of them"),
                );
            }
            let is_first = first.is_none();
            let name = Name {
                text: symbol.character.to_compact_string(),
                span: symbol.character_span,
            };
            let interface = Interface::default();
            let id = self.declare_definition(&name, symbol.span, Kind::Symbol, interface);
            if is_first {
                symbols.push((symbol.character, id));
            }
        }
        if is_new {
            let place = self.program.alphabets.len();
            let scope = &mut self.scopes[self.current];
            scope.alphabets.insert(&alphabet.name.text, place);
        }
        self.program.alphabets.push(Alphabet {
            name: alphabet.name.text.clone(),
            name_span: alphabet.name.span,
            documentation: alphabet.documentation.clone(),
            symbols,
        });
    }

    /// The definition that a name stands for in the file at hand: one it defines or uses, or one of
    /// the prelude.
    pub(super) fn definition(&mut self, name: &str) -> Option<DefinitionId> {
        let scope = self.scopes.get(self.current);
        if let Some(&id) = scope.and_then(|scope| scope.definitions.get(name)) {
            return Some(id);
        }
        let Prelude { file, names } = prelude::get();
        let place = *names.get(name)?;
        if let Some(&id) = self.of_prelude.get(&place) {
            return Some(id);
        }
        let item = &file.items[place];
        let id = self.declare_definition(item.name(), item.span(), Kind::Block, interface(item));
        self.program.definitions[id.0 as usize].documentation = item.documentation().to_string();
        self.of_prelude.insert(place, id);
        self.to_define.push((place, id));
        Some(id)
    }
}

fn interface(item: &Item) -> Interface<'_> {
    let Item::Block(block) = item else {
        return Interface::default();
    };
    Interface {
        parameters: &block.parameters,
        blocks: &block.block_parameters,
    }
}

//! The modules of a net, nested as the paths of its layers say: `basic.0.conv.1` is the second of the
//! modules in the list `conv` of the first of the blocks in the list `basic`.

use std::fmt::Write;

/// A line of Python is not longer than this.
const LINE: usize = 100;

/// Modules by name.
#[derive(Default)]
pub(super) struct Modules {
    names: Vec<(String, Module)>,
}

enum Module {
    /// What makes it: `nn.Linear(64, 10)`.
    Layer(String),
    /// Modules by number.
    List(Vec<Module>),
    /// Modules by name.
    Block(Modules),
}

/// The path of a layer that has no place.
pub(super) struct Clash(pub(super) String);

impl Modules {
    /// Puts a layer at its place and says how it is reached from there: `.basic[0].conv[1]`.
    pub(super) fn insert(&mut self, path: &str, made: String) -> Result<String, Clash> {
        let clash = || Clash(path.to_owned());
        let parts: Vec<&str> = path.split('.').collect();
        let ([names @ .., last], false) = (parts.as_slice(), parts.contains(&"")) else {
            return Err(clash());
        };
        let mut access = String::new();
        let mut place = Some(Place::In(self));
        for part in names {
            let here = place.take().ok_or_else(clash)?;
            place = Some(Place::At(here.enter(part, &mut access).ok_or_else(clash)?));
        }
        let here = place.ok_or_else(clash)?;
        let module = here.enter(last, &mut access).ok_or_else(clash)?;
        match module {
            // What a number or name is first reached as, before anything is put there.
            Module::Block(modules) if modules.names.is_empty() => *module = Module::Layer(made),
            _ => return Err(clash()),
        }
        Ok(access)
    }

    /// The statements that make the modules.
    pub(super) fn statements(&self, indent: usize) -> String {
        let mut text = String::new();
        for (name, module) in &self.names {
            let start = format!("{:indent$}self.{name} = ", "");
            let module = module.text(indent, start.len(), false);
            // A string takes whatever is written.
            let _ = writeln!(text, "{start}{module}");
        }
        text
    }
}

/// Where the search for the place of a layer has come.
enum Place<'a> {
    In(&'a mut Modules),
    At(&'a mut Module),
}

impl<'a> Place<'a> {
    /// Goes on to a part of the path; nowhere, if what is here has no such parts.
    fn enter(self, part: &str, access: &mut String) -> Option<&'a mut Module> {
        if let Ok(number) = part.parse::<usize>() {
            *access += &format!("[{number}]");
            return match self {
                Place::At(module) => module.numbered(number),
                Place::In(_) => None,
            };
        }
        let name = python_name(part);
        *access += &format!(".{name}");
        let modules = match self {
            Place::In(modules) => modules,
            Place::At(Module::Block(modules)) => modules,
            Place::At(_) => return None,
        };
        Some(modules.named(name))
    }
}

impl Module {
    fn new() -> Module {
        Module::Block(Modules::default())
    }

    /// The module of this number, of a list.
    fn numbered(&mut self, number: usize) -> Option<&mut Module> {
        if let Module::Block(modules) = self
            && modules.names.is_empty()
        {
            *self = Module::List(Vec::new());
        }
        match self {
            Module::List(list) => {
                while list.len() <= number {
                    list.push(Module::new());
                }
                list.get_mut(number)
            }
            _ => None,
        }
    }

    /// How it is made, with lists as [`nn.ModuleList`] or, within a block, as they are. It begins in
    /// the column `start` of a line that is indented by `indent`.
    fn text(&self, indent: usize, start: usize, within: bool) -> String {
        let inner = indent + 4;
        let (open, close, parts): (&str, &str, Vec<String>) = match self {
            Module::Layer(made) => return made.clone(),
            // A word that has no modules here, among others of its name that have some.
            Module::Block(modules) if modules.names.is_empty() => {
                return "nn.Identity()".to_owned();
            }
            Module::List(list) => {
                let parts = list.iter().map(|module| module.text(inner, inner, true));
                match within {
                    true => ("[", "]", parts.collect()),
                    false => ("nn.ModuleList([", "])", parts.collect()),
                }
            }
            Module::Block(modules) => {
                let part = |(name, module): &(String, Module)| {
                    let start = inner + name.len() + 1;
                    format!("{name}={}", module.text(inner, start, true))
                };
                ("Block(", ")", modules.names.iter().map(part).collect())
            }
        };
        let line = format!("{open}{}{close}", parts.join(", "));
        // A comma may follow.
        if !line.contains('\n') && start + line.len() < LINE {
            return line;
        }
        let parts: String = parts
            .iter()
            .map(|part| format!("{:inner$}{part},\n", ""))
            .collect();
        format!("{open}\n{parts}{:indent$}{close}", "")
    }
}

impl Modules {
    fn named(&mut self, name: String) -> &mut Module {
        let place = match self.names.iter().position(|(known, _)| *known == name) {
            Some(place) => place,
            None => {
                self.names.push((name, Module::new()));
                self.names.len() - 1
            }
        };
        &mut self.names[place].1
    }
}

/// The path of a layer with names that Python allows a module: those of its keywords and of what
/// modules have themselves are changed, and different names stay different.
pub(super) fn python_path(path: &str) -> String {
    let parts: Vec<String> = path.split('.').map(python_name).collect();
    parts.join(".")
}

fn python_name(name: &str) -> String {
    // `type` becomes `type_`, so that becomes `type__`; the same holds for names that begin with `_`.
    let is_taken = |taken: &&str| {
        let rest = name.strip_prefix(*taken);
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte == b'_'))
    };
    if name.trim_start_matches("word").starts_with('_') {
        return format!("word{name}");
    }
    match KEYWORDS.iter().chain(ATTRIBUTES).any(is_taken) {
        true => format!("{name}_"),
        false => name.to_owned(),
    }
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "self", "try",
    "while", "with", "yield",
];

/// The attributes of `torch.nn.Module` of PyTorch 2.15.
const ATTRIBUTES: &[&str] = &[
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];

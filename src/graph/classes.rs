//! Sets of programs up to equality.

use rustc_hash::FxHashMap;

use super::Key;

/// Names a class by its place among those of a [`Classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

/// The classes of equal programs met so far, told apart by their certificates. A key alone would
/// do but for the odds of a hash: on a hit the certificates are compared. Memory grows with the
/// number of classes, not with that of programs.
///
/// ```
/// use snapc::graph::Classes;
///
/// let mut classes = Classes::default();
/// let (first, is_new) = classes.insert(b"a certificate");
/// assert!(is_new);
/// assert_eq!(classes.insert(b"a certificate"), (first, false));
/// assert_eq!(classes.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Classes {
    /// The certificates of all classes, one behind another.
    bytes: Vec<u8>,
    /// For every class where its certificate ends, and the class before it with the same key.
    classes: Vec<(usize, Option<ClassId>)>,
    /// The last class of each key.
    by_key: FxHashMap<Key, ClassId>,
}

impl Classes {
    /// The class of the program with this certificate (see [`Canonicaliser::encode`]), and whether
    /// it is the first of its class.
    ///
    /// [`Canonicaliser::encode`]: super::Canonicaliser::encode
    ///
    /// # Panics
    ///
    /// If there are 2^32 classes.
    pub fn insert(&mut self, certificate: &[u8]) -> (ClassId, bool) {
        let new = ClassId(u32::try_from(self.classes.len()).expect("fewer than 2^32 classes"));
        let last = self.by_key.entry(Key::of(certificate)).or_insert(new);
        let mut candidate = Some(*last).filter(|class| *class != new);
        let before = candidate;
        while let Some(class) = candidate {
            if certificate == part(&self.bytes, &self.classes, class) {
                return (class, false);
            }
            candidate = self.classes[class.0 as usize].1;
        }
        *last = new;
        self.bytes.extend_from_slice(certificate);
        self.classes.push((self.bytes.len(), before));
        (new, true)
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The bytes of a class's certificate; see [`Certificate::bytes`](super::Certificate::bytes).
    ///
    /// # Panics
    ///
    /// If the class is not of this set.
    pub fn certificate(&self, class: ClassId) -> &[u8] {
        part(&self.bytes, &self.classes, class)
    }

    /// The key of a class.
    ///
    /// # Panics
    ///
    /// If the class is not of this set.
    pub fn key(&self, class: ClassId) -> Key {
        Key::of(self.certificate(class))
    }
}

fn part<'a>(bytes: &'a [u8], classes: &[(usize, Option<ClassId>)], class: ClassId) -> &'a [u8] {
    let place = class.0 as usize;
    let start = match place {
        0 => 0,
        _ => classes[place - 1].0,
    };
    &bytes[start..classes[place].0]
}

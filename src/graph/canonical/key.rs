//! Certificates and their keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

use crate::graph::Laws;

/// A program in canonical form as bytes: equal if and only if the programs are equal under the
/// laws.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate {
    laws: Laws,
    bytes: Box<[u8]>,
}

impl Certificate {
    pub(super) fn new(laws: Laws, bytes: Box<[u8]>) -> Self {
        Self { laws, bytes }
    }

    /// The laws under which it was made. The bytes begin with their name and version.
    pub fn laws(&self) -> Laws {
        self.laws
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the bytes.
    pub fn key(&self) -> Key {
        Key::of(&self.bytes)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Certificate({}, {} bytes, {})",
            self.laws,
            self.bytes.len(),
            self.key()
        )
    }
}

/// The 128-bit XXH3 hash of a certificate, written as 32 hexadecimal digits. Programs with
/// different keys are different; those with equal keys are equal unless the hash collides, which
/// the certificates tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u128);

impl Key {
    /// The key of a certificate's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Key(xxh3_128(bytes))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({self})")
    }
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key: a key has 32 hexadecimal digits")]
pub struct InvalidKey(String);

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok();
        let key = number.filter(|_| is_key).map(Key);
        key.ok_or_else(|| InvalidKey(text.to_string()))
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let key = Key(0x12AB);
        assert_eq!(key.to_string(), "000000000000000000000000000012ab");
        assert_eq!(key.to_string().parse(), Ok(key));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
        for text in ["", "12ab", "+00000000000000000000000000012ab"] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey(text.to_string())));
        }
    }
}

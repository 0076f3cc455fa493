//! Short strings of bytes that are copied very often.

use smallvec::SmallVec;

const SIZE: usize = 32;

/// Bytes that are kept and copied in whole blocks. How many bytes there are is most often no matter
/// then of how many blocks there are, so a copy has no branch for a processor to predict wrongly,
/// which is what costs most in copies of few bytes.
pub(super) struct Blocks {
    /// The last is filled up with zeros.
    blocks: SmallVec<[[u8; SIZE]; 1]>,
    length: usize,
}

impl Blocks {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut blocks = SmallVec::from_elem([0; SIZE], bytes.len().div_ceil(SIZE));
        blocks.as_flattened_mut()[..bytes.len()].copy_from_slice(bytes);
        Blocks {
            blocks,
            length: bytes.len(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.blocks.as_flattened()[..self.length]
    }

    /// Puts the bytes behind others.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len() + self.length;
        for block in &self.blocks {
            bytes.extend_from_slice(block);
        }
        bytes.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_number_are_kept_and_copied() {
        for count in [0, 1, 31, 32, 33, 100] {
            let bytes: Vec<u8> = (0..count).collect();
            let blocks = Blocks::new(&bytes);
            assert_eq!(blocks.bytes(), bytes);
            let mut written = b"before".to_vec();
            blocks.write(&mut written);
            assert_eq!(written, [b"before", bytes.as_slice()].concat());
        }
    }
}

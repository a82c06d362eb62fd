//! As much of protobuf's wire format as ONNX needs: numbers and messages under field numbers
//! (<https://protobuf.dev/programming-guides/encoding/>).

use crate::container::bytes::put_varint;

/// A message under construction.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    /// Adds a whole number.
    pub(super) fn int(mut self, field: u64, value: i64) -> Self {
        put_varint(&mut self.0, field << 3);
        put_varint(&mut self.0, value as u64);
        self
    }

    /// Adds a 32-bit float.
    pub(super) fn float(mut self, field: u64, value: f32) -> Self {
        put_varint(&mut self.0, field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds bytes, text or the bytes of a message.
    pub(super) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        put_varint(&mut self.0, field << 3 | 2);
        put_varint(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u64, message: &Message) -> Self {
        self.bytes(field, &message.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_documentation() {
        // Both examples of the encoding guide.
        assert_eq!(Message::default().int(1, 150).0, [0x08, 0x96, 0x01]);
        let text = Message::default().text(2, "testing").0;
        assert_eq!(text, [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        assert_eq!(Message::default().int(1, -1).0.len(), 11);
    }
}

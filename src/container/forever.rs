//! Bytes and limits that may never change once a version has been promised.

/// First bytes of a file: a high bit, the name, and line ends that a text transfer would mangle.
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89AEZ\r\n\x1a\n";
/// Last bytes of a file.
pub(crate) const END: [u8; 8] = *b"\nAEZend\n";
/// Version written, and the oldest that can read what is written.
pub(crate) const VERSION: u16 = 0;
/// Header flag: a codec, which has a model but no rows.
pub(crate) const FLAG_CODEC: u32 = 1;
/// Bytes of the file header.
pub(crate) const HEADER_LEN: usize = 20;
/// Bytes of the footer.
pub(crate) const FOOTER_LEN: usize = 36;

/// Section tags. A capital first letter: the file cannot be read without understanding it.
pub(crate) const HEAD: [u8; 4] = *b"HEAD";
pub(crate) const COLUMNS: [u8; 4] = *b"cols";
pub(crate) const ORIGIN: [u8; 4] = *b"from";
/// How an array was cut into tiles, which are the rows.
pub(crate) const TILE: [u8; 4] = *b"TILE";
/// The scales that the model's numbers are on, where errors are shares of each number.
pub(crate) const COMPANDER: [u8; 4] = *b"COMP";
/// Columns of text beside those of numbers.
pub(crate) const TEXT: [u8; 4] = *b"text";
pub(crate) const FILLS: [u8; 4] = *b"fill";
pub(crate) const MODEL: [u8; 4] = *b"MODL";
pub(crate) const ENCODER: [u8; 4] = *b"enco";
pub(crate) const TASK: [u8; 4] = *b"task";
/// A masked transformer.
pub(crate) const TRANSFORMER: [u8; 4] = *b"tran";
/// Bytes without a meaning, in files that need much memory or work and would be too short for it.
pub(crate) const ROOM: [u8; 4] = *b"room";
pub(crate) const DATA: [u8; 4] = *b"DATA";
pub(crate) const INDEX: [u8; 4] = *b"INDX";
/// The index of a file to which rows were appended.
pub(crate) const MORE: [u8; 4] = *b"MORE";
/// Most footers that are followed to find all blocks: writers see to it that each has at least twice
/// the blocks of the next.
pub(crate) const MAX_LINKS: usize = 64;
/// Bytes that a disk writes as a whole or not at all: a footer that is appended lies within as many.
#[cfg(feature = "compress")]
pub(crate) const SECTOR: usize = 512;

/// Most rows in a block.
pub(crate) const MAX_BLOCK_ROWS: usize = 1 << 16;
/// Most numbers in a row.
pub(crate) const MAX_WIDTH: usize = 1 << 24;
/// Most dimensions of a row.
pub(crate) const MAX_DIMENSIONS: usize = 32;
/// Most latents, and most units of a hidden layer.
pub(crate) const MAX_UNITS: usize = 1 << 16;
/// Most hidden layers.
pub(crate) const MAX_HIDDEN: usize = 16;
/// Most normal distributions in the mixture that latents have.
pub(crate) const MAX_DISTRIBUTIONS: usize = 256;
/// Most numbers of a transformer's token, and most blocks of its encoder and its decoder.
pub(crate) const MAX_TOKEN: u64 = 1 << 13;
pub(crate) const MAX_DEPTH: u64 = 64;
/// Most numbers that the blocks of a transformer's encoder or decoder may make of a row.
pub(crate) const MAX_ROW_NUMBERS: u64 = 1 << 26;
/// Most row classes.
pub(crate) const MAX_CLASSES: usize = 256;
/// Most bytes of column names and their lengths.
pub(crate) const MAX_NAME_BYTES: usize = 1 << 28;
/// Most bytes of each text about what the rows were read from.
pub(crate) const MAX_ORIGIN_TEXT: usize = 16;
/// Most bytes of what says which part of a file the rows were.
pub(crate) const MAX_ORIGIN_PART: usize = 1 << 24;
/// Most decimals of a column of text: 10²² is the largest power of ten that an `f64` holds exactly.
pub(crate) const MAX_DECIMALS: u8 = 22;
/// The first byte about a column that is known by its significant digits, 16 to 40.
pub(crate) const FIRST_SIGNIFICANT: u8 = 3 + 2 * MAX_DECIMALS;
/// The first byte about a column that is known by 16 to 40 digits behind the mark.
pub(crate) const FIRST_LONG_DECIMALS: u8 = FIRST_SIGNIFICANT + 25;
/// The first byte about a column that is not defined.
pub(crate) const UNDEFINED_COLUMN: u8 = FIRST_LONG_DECIMALS + 25;
/// Most columns of text that something is known of.
pub(crate) const MAX_TEXT_COLUMNS: usize = 1 << 16;
/// Most values that stand for missing numbers.
pub(crate) const MAX_FILLS: usize = 16;
/// Most tables.
pub(crate) const MAX_TABLES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_of_a_file_is_pinned() {
        assert_eq!(SIGNATURE, [0x89, 0x41, 0x45, 0x5a, 0x0d, 0x0a, 0x1a, 0x0a]);
        assert_eq!(END, [0x0a, 0x41, 0x45, 0x5a, 0x65, 0x6e, 0x64, 0x0a]);
        assert_eq!((VERSION, HEADER_LEN, FOOTER_LEN), (0, 20, 36));
        let tags = [
            HEAD,
            TILE,
            COLUMNS,
            ORIGIN,
            TEXT,
            FILLS,
            COMPANDER,
            MODEL,
            ENCODER,
            TASK,
            TRANSFORMER,
            DATA,
            INDEX,
            MORE,
        ]
        .concat();
        assert_eq!(tags, b"HEADTILEcolsfromtextfillCOMPMODLencotasktranDATAINDXMORE");
        let shapes = include_bytes!("../../format-spec/shapes.bin");
        assert_eq!(crc32fast::hash(shapes), SHAPES_CRC);
    }

    const SHAPES_CRC: u32 = 1_252_441_821;
}

//! How to read a table of text, where it is not to be found out.

/// How to read a table of text; what is `None` is found out from its first lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether the first line has the names of the columns.
    pub header: Option<bool>,
    /// How many lines to leave out at the beginning: titles, for example.
    pub skip: u64,
    /// What stands between fields: a character of ASCII; a space for any run of blanks.
    pub delimiter: Option<u8>,
    /// What stands between a number's whole part and its fraction: `.` or `,`.
    pub decimal_mark: Option<u8>,
    /// What stands between groups of three digits: `,`, `.`, a space, `'` or `_`.
    pub thousands: Option<u8>,
}

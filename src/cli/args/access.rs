//! How rows will be asked for.

use aezip::Access;

/// A way to ask for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessArg(pub(crate) Access);

impl std::str::FromStr for AccessArg {
    type Err = aezip::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "auto" => Access::Auto,
            "row" => Access::Row,
            "scan" => Access::Scan,
            rows => Access::Rows(rows.parse().map_err(|_| {
                aezip::Error::argument("not auto, row, scan or a number of rows of at least 1")
            })?),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_has_names_or_rows() {
        let access = |text: &str| text.parse::<AccessArg>().map(|AccessArg(access)| access);
        assert_eq!(access("auto").unwrap(), Access::Auto);
        assert_eq!(access("row").unwrap(), Access::Row);
        assert_eq!(access("scan").unwrap(), Access::Scan);
        assert_eq!(access("16").unwrap(), Access::Rows(16.try_into().unwrap()));
        assert!(access("0").is_err() && access("").is_err() && access("rows").is_err());
    }
}

//! Which of the accepted formats a file has: told by its extension, else by how its content begins.

use std::path::Path;

use serde_json::{Map, Value};

use super::without_mark;

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, each a concert with its performances.
    JsonLines,
    /// A header, then a row for each performance.
    Csv,
    /// schema.org `Event` objects, each a performance.
    JsonLd,
}

/// Neither the name of the file nor its content tells a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown format; name the file .jsonl or .ndjson (JSON Lines: one concert a line), \
     .csv (a header with concert_id,title,venue,start) or .jsonld or .json (schema.org Event objects)"
)]
pub struct UnknownFormat;

impl Format {
    /// The format of the file at `path` holding `bytes`. Touches no file; `path` may be any name, or `-` for none.
    pub fn detect(path: &Path, bytes: &[u8]) -> Result<Self, UnknownFormat> {
        Self::of_name(path).or_else(|| Self::of_content(without_mark(bytes))).ok_or(UnknownFormat)
    }

    fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "jsonld" | "json" => Some(Self::JsonLd),
            _ => None,
        }
    }

    fn of_content(bytes: &[u8]) -> Option<Self> {
        let content = bytes.trim_ascii_start();
        let first_line = content.split(|&byte| byte == b'\n').next()?.trim_ascii();
        match content.first()? {
            b'[' => Some(Self::JsonLd),
            b'{' => Some(Self::of_object(first_line)),
            _ => is_header(first_line).then_some(Self::Csv),
        }
    }

    /// An object that ends on the line it began on is a line of JSON Lines, unless it has the keywords of JSON-LD.
    fn of_object(first_line: &[u8]) -> Self {
        match serde_json::from_slice::<Map<String, Value>>(first_line) {
            Ok(object) if object.keys().any(|key| key.starts_with('@')) => Self::JsonLd,
            Ok(_) => Self::JsonLines,
            // A damaged line still looks like a line, and is then named as the bad row that it is.
            Err(_) if first_line.len() > 1 && first_line.ends_with(b"}") => Self::JsonLines,
            Err(_) => Self::JsonLd,
        }
    }
}

fn is_header(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    line.split(',').any(|name| name.trim_matches(|c: char| c.is_whitespace() || c == '"') == "concert_id")
}

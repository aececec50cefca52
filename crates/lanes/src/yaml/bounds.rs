//! What a text of YAML may come to. More is a mistake or an attack.

use serde_json::Value;

/// More than anybody writes by hand or takes from a cluster in one go.
pub(super) const MAX_DOCUMENTS: usize = 10_000;
/// YAML's own limit, for keys without `?`.
pub(super) const MAX_KEY: usize = 1024;

/// Less than what readers of JSON bear: filters get configurations as JSON.
const MAX_DEPTH: usize = 100;
/// For all values together, with their places.
const MAX_BYTES: usize = 128 << 20;
/// What a value takes beside its text.
const VALUE: usize = 64;

/// How much has been read so far, and where.
#[derive(Default)]
pub(super) struct Bounds {
    depth: usize,
    bytes: usize,
    has_copies: bool,
}

impl Bounds {
    /// One more value. Its path is kept, with those of all that are around it: few long keys may make many long paths.
    pub(super) fn value(&mut self, path: &str) -> Result<(), String> {
        self.spend(VALUE + path.len())
    }

    /// What an anchor or an alias repeats.
    pub(super) fn copy(&mut self, value: &Value) -> Result<Value, String> {
        if self.depth + depth(value) > MAX_DEPTH {
            return Err(too_deep());
        }
        self.has_copies = true;
        self.spend(bytes(value))?;
        Ok(value.clone())
    }

    /// One level down. What recurses over the value later relies on the limit.
    pub(super) fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    /// One level up.
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= MAX_BYTES {
            return Ok(());
        }
        let with = if self.has_copies { "with its aliases, the file" } else { "the file" };
        Err(format!("{with} stands for more than {} MiB: write out less of it", MAX_BYTES >> 20))
    }
}

fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => None,
    };
    1 + deepest.unwrap_or_default()
}

fn bytes(value: &Value) -> usize {
    VALUE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(elements) => elements.iter().map(bytes).sum(),
            Value::Object(fields) => fields.iter().map(|(key, value)| VALUE + key.len() + bytes(value)).sum(),
            _ => 0,
        }
}

//! Objects of JSON, in the order in which they are written.

use serde_json::Value;

/// `object` with the fields of `more`.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

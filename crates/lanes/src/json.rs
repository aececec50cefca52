//! Objects of JSON, in the order in which they are written.

use serde_json::Value;

/// `object` with the fields of `more`.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// `object` without the fields that hold nothing: `null`, a list or an object of nothing.
pub(crate) fn given(mut object: Value) -> Value {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if let Value::Object(fields) = &mut object {
        fields.retain(|_, value| !is_nothing(value));
    }
    object
}

/// A value without the fields that are null, at any depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

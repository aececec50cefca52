//! One value of a configuration.

use hifijson::value::Value as Tree;

use crate::{Object, Problem, json::Json, path::Path};

/// A type that a value of a configuration is read into.
pub trait FromConfig: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The first thing that does not fit, with the path of its field.
    fn from_config(value: Value<'_>) -> Result<Self, Problem>;
}

/// One value of a configuration, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    json: &'a Json<'a>,
    path: &'a Path<'a>,
}

impl<'a> Value<'a> {
    pub(crate) fn new(json: &'a Json<'a>, path: &'a Path<'a>) -> Self {
        Self { json, path }
    }

    pub(crate) fn json(self) -> &'a Json<'a> {
        self.json
    }

    /// An object that has no other than these fields, and none twice.
    ///
    /// # Errors
    /// It is something else, which is said with the words of `expecting`, or it has another field.
    pub fn object(self, fields: &[&str], expecting: &str) -> Result<Object<'a>, Problem> {
        match self.json {
            Tree::Object(members) => Object::new(members, self.path, fields),
            _ => Err(self.invalid_type(expecting)),
        }
    }

    /// The text of a string.
    ///
    /// # Errors
    /// It is something else, which is said with the words of `expecting`.
    pub fn text(self, expecting: &str) -> Result<&'a str, Problem> {
        match self.json {
            Tree::String(text) => Ok(text),
            _ => Err(self.invalid_type(expecting)),
        }
    }

    /// One of these names, as what stands beside it.
    ///
    /// # Errors
    /// It is none of them.
    pub fn variant<T: Copy>(self, variants: &[(&str, T)]) -> Result<T, Problem> {
        let text = self.text("a string")?;
        let known = variants.iter().find(|(name, _)| *name == text);
        known.map(|(_, variant)| *variant).ok_or_else(|| {
            let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
            self.unknown_variant(text, &names)
        })
    }

    /// That a name is none of `names`.
    pub fn unknown_variant(self, name: &str, names: &[&str]) -> Problem {
        self.problem(["unknown variant `", name, "`, expected ", &alternatives(names)].concat())
    }

    pub(crate) fn invalid_type(self, expecting: &str) -> Problem {
        self.problem(["invalid type: ", &self.describe(), ", expected ", expecting].concat())
    }

    pub(crate) fn invalid_value(self, expecting: &str) -> Problem {
        self.problem(["invalid value: ", &self.describe(), ", expected ", expecting].concat())
    }

    pub(crate) fn problem(self, message: String) -> Problem {
        Problem::new(self.path.to_string(), message)
    }

    fn describe(self) -> String {
        match self.json {
            Tree::Null => "null".to_owned(),
            Tree::Bool(true) => "boolean `true`".to_owned(),
            Tree::Bool(false) => "boolean `false`".to_owned(),
            Tree::Number((number, parts)) if parts.is_int() => ["integer `", number, "`"].concat(),
            Tree::Number((number, _)) => ["floating point `", number, "`"].concat(),
            Tree::String(text) => ["string \"", text, "\""].concat(),
            Tree::Array(_) => "sequence".to_owned(),
            Tree::Object(_) => "map".to_owned(),
        }
    }
}

/// ``one of `a`, `b`, `c` ``
pub(crate) fn alternatives(names: &[&str]) -> String {
    match names {
        [name] => ["`", name, "`"].concat(),
        [one, other] => ["`", one, "` or `", other, "`"].concat(),
        names => ["one of `", &names.join("`, `"), "`"].concat(),
    }
}

impl FromConfig for String {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.text("a string").map(str::to_owned)
    }
}

impl FromConfig for bool {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        match value.json {
            Tree::Bool(value) => Ok(*value),
            _ => Err(value.invalid_type("a boolean")),
        }
    }
}

impl<T: FromConfig> FromConfig for Vec<T> {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let Tree::Array(elements) = value.json else { return Err(value.invalid_type("a sequence")) };
        let element = |(index, json)| T::from_config(Value::new(json, &Path::Element(value.path, index)));
        elements.iter().enumerate().map(element).collect()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(&["a"]), "`a`");
        assert_eq!(alternatives(&["a", "b"]), "`a` or `b`");
        assert_eq!(alternatives(&["a", "b", "c"]), "one of `a`, `b`, `c`");
    }
}

//! The fields of an object.

use std::borrow::Cow;

use hifijson::value::Value as Tree;

use crate::{FromConfig, Problem, Value, json::Json, path::Path, value::alternatives};

/// An object of a configuration whose fields are all known.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    members: &'a [(Cow<'a, str>, Json<'a>)],
    path: &'a Path<'a>,
}

impl<'a> Object<'a> {
    pub(crate) fn new(
        members: &'a [(Cow<'a, str>, Json<'a>)],
        path: &'a Path<'a>,
        fields: &[&str],
    ) -> Result<Self, Problem> {
        for (index, (name, _)) in members.iter().enumerate() {
            if !fields.contains(&name.as_ref()) {
                let message = ["unknown field `", name, "`, expected ", &alternatives(fields)].concat();
                return Err(Problem::new(Path::Field(path, name).to_string(), message));
            }
            if members.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(Problem::new(path.to_string(), ["duplicate field `", name, "`"].concat()));
            }
        }
        Ok(Self { members, path })
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// It is not, or its value does not fit.
    pub fn required<T: FromConfig>(&self, field: &str) -> Result<T, Problem> {
        let missing = || Problem::new(self.path.to_string(), ["missing field `", field, "`"].concat());
        self.field(field).ok_or_else(missing).and_then(|json| self.read(field, json))
    }

    /// A field that may be missing or `null`.
    ///
    /// # Errors
    /// Its value does not fit.
    pub fn optional<T: FromConfig>(&self, field: &str) -> Result<Option<T>, Problem> {
        let given = self.field(field).filter(|json| !matches!(json, Tree::Null));
        given.map(|json| self.read(field, json)).transpose()
    }

    /// A field that has a default if it is missing.
    ///
    /// # Errors
    /// Its value does not fit.
    pub fn or_default<T: FromConfig + Default>(&self, field: &str) -> Result<T, Problem> {
        self.or(field, T::default())
    }

    /// A field that has this value if it is missing.
    ///
    /// # Errors
    /// Its value does not fit.
    pub fn or<T: FromConfig>(&self, field: &str, default: T) -> Result<T, Problem> {
        self.field(field).map_or(Ok(default), |json| self.read(field, json))
    }

    fn field(&self, field: &str) -> Option<&'a Json<'a>> {
        self.members.iter().find_map(|(name, json)| (name == field).then_some(json))
    }

    fn read<T: FromConfig>(&self, field: &str, json: &Json<'_>) -> Result<T, Problem> {
        T::from_config(Value::new(json, &Path::Field(self.path, field)))
    }
}

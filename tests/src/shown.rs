//! Configurations of filters that documents and rendered files show.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// What tells the pluginConfig of one filter from everything else.
pub type IsOne = fn(&Map<String, Value>) -> bool;

/// The pluginConfigs of a file: YAML, or Markdown with YAML in it.
///
/// # Errors
/// It cannot be read.
pub fn plugin_configs(path: &Path, is_one: IsOne) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let blocks: Vec<&str> = if path.extension().is_some_and(|extension| extension == "md") {
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
    } else {
        vec![&text]
    };
    let mut found = Vec::new();
    for block in blocks {
        let documents: Vec<Value> = serde_saphyr::from_multiple(block)?;
        documents.iter().try_for_each(|document| collect(document, is_one, &mut found))?;
    }
    Ok(found)
}

/// As an object, or as the text that Envoy gets.
fn collect(value: &Value, is_one: IsOne, found: &mut Vec<Value>) -> Result<()> {
    match value {
        Value::Object(object) if is_one(object) => found.push(value.clone()),
        Value::Object(object) => object.values().try_for_each(|value| collect(value, is_one, found))?,
        Value::Array(array) => array.iter().try_for_each(|value| collect(value, is_one, found))?,
        Value::String(text) if text.trim_start().starts_with('{') => {
            collect(&serde_json::from_str(text)?, is_one, found)?;
        }
        _ => {}
    }
    Ok(())
}

//! The rendered files of a walkthrough, with other filters.

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tempfile::TempDir;

const DISCOVERED: &str = "config_discovery";
const PROPAGATES: &str = "trace-propagation";
const ADDED: &str = "baggage-propagation";

/// Which filters there are to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Filters {
    None,
    /// Those that are rendered, and baggage propagation in every sidecar.
    All,
}

/// A copy of the files of `walkthrough` below `envoy`, as JSON, which YAML includes.
pub(super) fn copy(envoy: &Path, walkthrough: &str, filters: Filters) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let mut changes = 0;
    for entry in fs::read_dir(envoy.join(walkthrough))? {
        let path = entry?.path();
        let mut config = read(&path)?;
        changes += change(&mut config, filters);
        fs::write(folder.path().join(path.file_name().unwrap_or_default()), config.to_string())?;
    }
    ensure!(changes > 0, "no file of {walkthrough} has a filter");
    let baggage = read(&envoy.join("permissive-baggage").join(format!("{ADDED}.yaml")))?.to_string();
    // That walkthrough has another route header.
    let baggage = baggage.replace("\\\"version\\\"", "\\\"x-asm-prefer-tag\\\"");
    ensure!(baggage.contains("x-asm-prefer-tag"), "the baggage filter of permissive-baggage carries no `version`");
    fs::write(folder.path().join(format!("{ADDED}.yaml")), baggage)?;
    Ok(folder)
}

/// How many filters were taken out or added.
fn change(config: &mut Value, filters: Filters) -> usize {
    match config {
        Value::Object(object) => object
            .iter_mut()
            .map(|(name, value)| match value {
                Value::Array(list) if name == "http_filters" => change_list(list, filters),
                value => change(value, filters),
            })
            .sum(),
        Value::Array(list) => list.iter_mut().map(|value| change(value, filters)).sum(),
        _ => 0,
    }
}

fn change_list(list: &mut Vec<Value>, filters: Filters) -> usize {
    let before = list.len();
    match filters {
        Filters::None => list.retain(|filter| filter.get(DISCOVERED).is_none()),
        Filters::All => {
            let propagates = list.iter().find(|filter| filter.get("name").is_some_and(|name| name == PROPAGATES));
            if let Some(added) = propagates.and_then(|filter| renamed(filter).ok()) {
                list.insert(0, added);
            }
        }
    }
    list.len().abs_diff(before)
}

/// The same discovery, for the other filter.
fn renamed(filter: &Value) -> Result<Value> {
    Ok(serde_json::from_str(&filter.to_string().replace(PROPAGATES, ADDED))?)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_saphyr::from_str(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters_of(filters: Filters) -> Vec<String> {
        let envoy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy");
        let folder = copy(&envoy, "user-segment", filters).unwrap();
        let sidecar = read(&folder.path().join("mockc-s1.yaml")).unwrap();
        let listeners = sidecar["static_resources"]["listeners"].as_array().unwrap();
        let manager = |listener: &Value| listener["filter_chains"][0]["filters"][0]["typed_config"].clone();
        let names = listeners.iter().flat_map(|listener| manager(listener)["http_filters"].as_array().unwrap().clone());
        names.map(|filter| filter["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn without_filters_only_the_router_is_left() {
        assert_eq!(filters_of(Filters::None), ["envoy.filters.http.router"; 2]);
    }

    #[test]
    fn with_all_filters_each_sidecar_has_both_on_both_ways() {
        let way = ["baggage-propagation", "trace-propagation", "envoy.filters.http.router"];
        assert_eq!(filters_of(Filters::All), [way, way].concat());
    }
}

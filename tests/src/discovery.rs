//! Configuration that a running Envoy takes from a file, and anew whenever the file is replaced.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Result;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::wasm_listeners::bootstrap;

/// A file with the resources of a discovery service.
pub struct Discovery {
    folder: TempDir,
    versions: AtomicU64,
}

/// What is discovered.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An extension, such as an HTTP filter: ECDS.
    Extension,
    /// A listener: LDS.
    Listener,
    /// A cluster: CDS.
    Cluster,
}

impl Discovery {
    /// Begins with these resources.
    ///
    /// # Errors
    /// The file cannot be written, as for all of this type.
    pub fn start(kind: Kind, resources: impl IntoIterator<Item = Value>) -> Result<Self> {
        let discovery = Self { folder: tempfile::tempdir()?, versions: AtomicU64::new(0) };
        discovery.replace(kind, resources)?;
        Ok(discovery)
    }

    /// Gives Envoy other resources, which it takes when the file is renamed; the number of their version, from 1.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn replace(&self, kind: Kind, resources: impl IntoIterator<Item = Value>) -> Result<u64> {
        // A version that is new makes Envoy look at what it has.
        let version = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        let mut response = kind.response(resources);
        response.insert("version_info".to_owned(), version.to_string().into());
        let aside = self.folder.path().join("new.json");
        fs::write(&aside, Value::from(response).to_string())?;
        fs::rename(aside, self.path())?;
        Ok(version)
    }

    /// A bootstrap whose listeners are discovered.
    ///
    /// # Errors
    /// As for [`bootstrap`].
    pub fn bootstrap(&self) -> Result<Value> {
        let mut bootstrap = bootstrap(&[])?;
        if let Some(fields) = bootstrap.as_object_mut() {
            fields.insert("dynamic_resources".to_owned(), json!({"lds_config": self.source()}));
        }
        Ok(bootstrap)
    }

    /// An HTTP filter that is discovered.
    pub fn filter(&self, name: &str) -> Value {
        json!({"name": name, "config_discovery": {
            "config_source": self.source(),
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        }})
    }

    fn source(&self) -> Value {
        json!({"resource_api_version": "V3", "path_config_source": {"path": self.path()}})
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("resources.json")
    }
}

impl Kind {
    /// What a discovery service answers.
    pub fn response(self, resources: impl IntoIterator<Item = Value>) -> Map<String, Value> {
        let kind = match self {
            Self::Extension => "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            Self::Listener => "type.googleapis.com/envoy.config.listener.v3.Listener",
            Self::Cluster => "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        };
        let typed = |mut resource: Value| {
            if let Some(fields) = resource.as_object_mut() {
                fields.insert("@type".to_owned(), kind.into());
            }
            resource
        };
        let resources: Vec<Value> = resources.into_iter().map(typed).collect();
        Map::from_iter([("resources".to_owned(), resources.into())])
    }
}

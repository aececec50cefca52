//! The filters that have shared cases.

use std::path::PathBuf;

use anyhow::Result;

use crate::{module, testdata};

/// A filter with a module, and with cases that every tier runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filter {
    /// `hash_tagging.wasm`.
    HashTagging,
    /// `baggage_propagation.wasm`.
    BaggagePropagation,
    /// `trace_propagation.wasm`.
    TracePropagation,
}

impl Filter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HashTagging, Self::BaggagePropagation, Self::TracePropagation];

    /// What its crate and its cases are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::HashTagging => "hash-tagging",
            Self::BaggagePropagation => "baggage-propagation",
            Self::TracePropagation => "trace-propagation",
        }
    }

    /// What its module is called, and what its log lines and metrics start with.
    pub fn module_name(self) -> String {
        self.name().replace('-', "_")
    }

    /// The release module.
    ///
    /// # Errors
    /// It has not been built.
    pub fn module(self) -> Result<PathBuf> {
        module(&format!("{}.wasm", self.module_name()))
    }

    /// The shared cases.
    pub fn cases(self) -> PathBuf {
        testdata(&format!("{}.toml", self.name()))
    }

    /// The gauge that says whether the plug-in's configuration was refused.
    pub fn refused_gauge(self, plugin: &str) -> String {
        format!("plugin=.={plugin};.;{}_configuration_refused", self.module_name())
    }
}

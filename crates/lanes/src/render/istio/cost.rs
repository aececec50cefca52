//! What a lane group costs a mesh.

use serde::Serialize;

use super::File;
use crate::{document::LaneGroup, render::pools::Pool};

/// What a lane group costs a mesh.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Cost {
    /// The resources in the API server.
    pub resources: usize,
    /// Their size as YAML, in bytes.
    pub bytes: usize,
    /// The clusters that every proxy of the mesh gets for the lanes, beside those of the services themselves.
    pub clusters: usize,
}

impl Cost {
    /// What a cluster takes of an Envoy's memory, in bytes: 75 MB more with 806 clusters (Istio 1.31, Envoy 1.40).
    pub const CLUSTER: usize = 93_000;

    /// Of a lane group and its files.
    pub fn new(group: &LaneGroup, files: &[File]) -> Self {
        // A lane that falls back has its own pods, and the aggregate.
        let of_pool = |pool: &Pool| if pool.falls_back() { 2 } else { 1 };
        let services = group.spec.services.iter();
        let clusters =
            services.map(|service| service.ports().len() * group.pools(service).iter().map(of_pool).sum::<usize>());
        Self {
            resources: files.iter().map(|file| file.documents.len()).sum(),
            bytes: files.iter().flat_map(|file| &file.documents).map(String::len).sum(),
            clusters: clusters.sum(),
        }
    }
}

use std::fmt;

/// The media types that decide what Istio does with an image.
pub(crate) mod media_type {
    pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    pub(crate) const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub(crate) const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
    pub(crate) const MODULE_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
}

/// How an image holds its module.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Form {
    /// A Docker image (version 2, schema 2) whose last layer is a tar with `plugin.wasm`: for registries that know nothing
    /// else.
    Docker,
    /// An OCI image whose last layer is a tar with `plugin.wasm`: what every registry and tool of today understands.
    Oci,
    /// An OCI artifact of two layers, one of which is the module itself.
    Artifact,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Oci, Self::Artifact];

    /// Its name in commands and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Oci => "oci",
            Self::Artifact => "artifact",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

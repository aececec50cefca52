//! Images of Proxy-Wasm modules, as registries hold them.
//!
//! [`Image::build`] makes one in each [`Form`] that Istio and Envoy Gateway accept: always the same bytes from the same
//! module. [`judge`] says what Istio makes of any image, in Istio's words. Nothing here knows a network: whoever judges
//! says how blobs are got.
//!
//! The rules are those of Istio's `pkg/wasm/imagefetcher.go` and `cache.go` at 86c9f01 (August 2026) and of
//! go-containerregistry, which fetches for it. Envoy Gateway's `internal/wasm/imagefetcher.go` has the same ones. The forms
//! are described at <https://github.com/solo-io/wasm/tree/master/spec>.

mod annotations;
mod archive;
mod digest;
mod form;
mod image;
mod index;
mod judge;
mod layer;
mod manifest;
mod module;

pub use crate::{
    annotations::Annotations,
    archive::archive,
    digest::{Digest, NotADigest},
    form::Form,
    image::{Blob, Image, labels},
    index::Index,
    judge::{Accepted, Refusal, Unfit, judge},
    layer::NoPlugin,
    manifest::{Descriptor, ImageManifest, Manifest, UnreadableManifest},
    module::{MAX_BYTES, Module, NotAModule},
};

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::stream;
use module_image::{Blob, Digest, Image};
use oci_client::RegistryOperation;

use crate::{Progress, Remote};

/// How much is handed to the connection at once: small enough to show progress by.
const PART: usize = 64 << 10;

impl Remote {
    /// Puts an image there and returns its digest. What the registry has already is not sent again. The manifest goes last:
    /// whatever fails before, the reference names what it named.
    ///
    /// # Errors
    /// The reference is pinned to a digest, or the registry cannot be talked to or refuses.
    pub fn push(&self, image: &Image) -> Result<Digest> {
        let reference = self.reference.inner();
        ensure!(!self.reference.is_pinned(), "{}: push to a tag; the digest is what comes of it", self.reference);
        let blobs: Vec<&Blob> = image.layers.iter().chain([&image.config]).collect();
        blobs.iter().for_each(|blob| self.progress.expect(blob.descriptor.size));
        self.authenticate(RegistryOperation::Push)?;
        for blob in blobs {
            self.push_blob(blob)?;
        }
        let Blob { descriptor, bytes } = &image.manifest;
        let media_type = descriptor.media_type.parse()?;
        self.wait(self.client.push_manifest_raw(reference, bytes.clone(), media_type))?;

        let pushed = self.reference.by_digest(descriptor.digest);
        self.wait(self.client.fetch_manifest_digest(&pushed, &self.auth))?;
        Ok(descriptor.digest)
    }

    fn push_blob(&self, blob: &Blob) -> Result<()> {
        let Blob { descriptor, bytes } = blob;
        let (reference, digest) = (self.reference.inner(), descriptor.digest.to_string());
        // Some registries refuse to look into a repository that is not there yet: then the push says what is wrong.
        if matches!(self.wait(self.client.blob_exists(reference, &digest)), Ok(true)) {
            self.progress.advance(descriptor.size);
            return Ok(());
        }
        let stream = stream::iter(parts(bytes.clone().into(), self.progress.clone()));
        self.wait(self.client.push_blob_stream(reference, stream, &digest, Some(descriptor.size))).map(drop)
    }
}

/// The content in parts, each of which is reported when it is asked for.
fn parts<E>(mut rest: Bytes, progress: Arc<dyn Progress>) -> impl Iterator<Item = Result<Bytes, E>> {
    std::iter::from_fn(move || {
        let part = rest.split_to(rest.len().min(PART));
        progress.advance(part.len() as u64);
        (!part.is_empty()).then_some(Ok(part))
    })
}

use std::convert::Infallible;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::stream;
use indicatif::ProgressBar;
use module_image::{Blob, Digest, Image};
use reqwest::{
    Body, Method,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};

use crate::{Remote, failure::Failure, remote::Operation};

/// How much is handed to the connection at once: small enough to show progress by.
const PART: usize = 64 << 10;

impl Remote {
    /// Puts an image there and returns its digest. What the registry has already is not sent again. The manifest goes last:
    /// whatever fails before, the reference names what it named.
    ///
    /// # Errors
    /// The reference is pinned to a digest, or the registry cannot be talked to or refuses.
    pub fn push(&self, image: &Image) -> Result<Digest> {
        ensure!(!self.reference.is_pinned(), "{}: push to a tag; the digest is what comes of it", self.reference);
        let blobs: Vec<&Blob> = image.layers.iter().chain([&image.config]).collect();
        blobs.iter().for_each(|blob| self.progress.inc_length(blob.descriptor.size));
        self.wait(async {
            for blob in blobs {
                self.push_blob(blob).await?;
            }
            self.push_manifest(&image.manifest).await
        })?;
        Ok(image.digest())
    }

    async fn push_blob(&self, blob: &Blob) -> Result<(), Failure> {
        let Blob { descriptor, bytes } = blob;
        let (size, digest) = (descriptor.size, descriptor.digest.to_string());
        self.authenticate(Operation::Push).await?;
        // Some registries refuse to look into a repository that is not there yet: then the push says what is wrong.
        let there = self.url(&format!("blobs/{digest}"))?;
        if self.session.send(Method::HEAD, there, 0, |request| request).await.is_ok() {
            self.progress.inc(size);
            return Ok(());
        }
        // One request for a blob, which every registry understands; some have their own idea of chunks.
        let begin = self.url("blobs/uploads/")?;
        let answer = self.session.send(Method::POST, begin, 0, |request| request.header(CONTENT_LENGTH, 0)).await?;
        let mut location = self.session.location(answer.headers())?;
        location.query_pairs_mut().append_pair("digest", &digest);
        let parts = parts(bytes.clone().into(), self.progress.clone());
        let with_blob = |request: reqwest::RequestBuilder| {
            let request = request.header(CONTENT_LENGTH, size).header(CONTENT_TYPE, "application/octet-stream");
            request.body(Body::wrap_stream(stream::iter(parts)))
        };
        self.session.send(Method::PUT, location, size, with_blob).await.map(drop)
    }

    async fn push_manifest(&self, manifest: &Blob) -> Result<(), Failure> {
        let Blob { descriptor, bytes } = manifest;
        self.authenticate(Operation::Push).await?;
        let url = self.url(&format!("manifests/{}", self.reference.tag_or_digest()))?;
        let with_manifest =
            |request: reqwest::RequestBuilder| request.header(CONTENT_TYPE, &descriptor.media_type).body(bytes.clone());
        self.session.send(Method::PUT, url, descriptor.size, with_manifest).await?;
        // Not what another client has put there in the meantime, and not what the registry has made of it.
        let pushed = self.url(&format!("manifests/{}", descriptor.digest))?;
        let accepting = |request: reqwest::RequestBuilder| request.header(ACCEPT, &descriptor.media_type);
        self.session.send(Method::HEAD, pushed, 0, accepting).await.map(drop)
    }
}

/// The content in parts, each of which is reported when it is asked for.
fn parts(mut rest: Bytes, progress: ProgressBar) -> impl Iterator<Item = Result<Bytes, Infallible>> {
    std::iter::from_fn(move || {
        let part = rest.split_to(rest.len().min(PART));
        progress.inc(part.len() as u64);
        (!part.is_empty()).then_some(Ok(part))
    })
}

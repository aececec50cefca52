use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use module_image::{Accepted, Descriptor, Digest, ImageManifest, MAX_BYTES, Manifest, Refusal, judge, labels};
use reqwest::{Method, RequestBuilder, header::ACCEPT};

use crate::{
    Remote,
    remote::Operation,
    session::{MAX_ANSWER, bounded},
};

/// Every type of manifest that Istio reads.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// How many indices may lead from one to the next.
const MAX_INDICES: usize = 8;

/// What is under a reference.
#[derive(Debug)]
pub struct Inspection {
    /// The digest of what the reference names.
    pub digest: Digest,
    /// The image: what the reference names, or of an index what Istio would choose. None if Istio would not get so far.
    pub image: Option<(Digest, ImageManifest)>,
    /// What the image says about itself: the manifest's annotations, else the configuration's labels.
    pub annotations: BTreeMap<String, String>,
    /// What Istio makes of it.
    pub istio: Result<Accepted, Refusal>,
}

/// The image that Istio would choose, or why it would not get so far as to have one.
type Chosen = Result<(Digest, ImageManifest), Refusal>;

impl Remote {
    /// What is there, and what Istio makes of it.
    ///
    /// # Errors
    /// There is no such image, or it cannot be read. That Istio would refuse it is none.
    pub fn inspect(&self) -> Result<Inspection> {
        let (digest, image) = self.find()?;
        Ok(match image {
            Ok((chosen, manifest)) => Inspection {
                digest,
                annotations: self.annotations(&manifest)?,
                istio: judge(&manifest, |layer| self.blob(layer))?,
                image: Some((chosen, manifest)),
            },
            Err(refusal) => Inspection { digest, image: None, annotations: BTreeMap::new(), istio: Err(refusal) },
        })
    }

    /// The digest of the image that Istio would take: of an index, the one that it would choose. A WasmPlugin's `sha256` and
    /// [`crate::Reference::url_of`] want this one.
    ///
    /// # Errors
    /// There is no such image, the registry cannot be asked, or it is an index that Istio would refuse. Whether the image
    /// holds a module, only [`Self::inspect`] says.
    pub fn resolve(&self) -> Result<Digest> {
        let image = self.find()?.1;
        image.map(|(digest, _)| digest).with_context(|| format!("{}: Istio would refuse it", self.reference))
    }

    /// Reads the manifest, and goes on from an index to its image: the digest of what the reference names, and the image.
    fn find(&self) -> Result<(Digest, Chosen)> {
        let mut reference = self.reference.tag_or_digest().to_owned();
        let mut first = None;
        for _ in 0..MAX_INDICES {
            let bytes = self.manifest(&reference)?;
            let read = Digest::of(&bytes);
            let is_other = reference.contains(':') && reference != read.to_string();
            ensure!(!is_other, "{}: the registry gives {read} for {reference}", self.reference);
            let digest = *first.get_or_insert(read);
            let refused = |refusal| Ok((digest, Err(refusal)));
            let index = match Manifest::parse(&bytes) {
                Ok(Manifest::Image(manifest)) => return Ok((digest, Ok((read, manifest)))),
                Ok(Manifest::Index(index)) => index,
                Err(unreadable) => return refused(unreadable.into()),
            };
            match index.chosen().map(|child| child.digest) {
                None => return refused(Refusal::NoPlatform),
                Some(chosen) if self.reference.is_pinned() => {
                    return refused(Refusal::IndexByDigest { chosen, index: digest });
                }
                Some(chosen) => reference = chosen.to_string(),
            }
        }
        bail!("{}: an index of indices, more than {MAX_INDICES} of them", self.reference)
    }

    /// A manifest, by its tag or its digest.
    fn manifest(&self, reference: &str) -> Result<Vec<u8>> {
        self.wait(async {
            self.authenticate(Operation::Pull).await?;
            let url = self.url(&format!("manifests/{reference}"))?;
            let accepting = |request: RequestBuilder| request.header(ACCEPT, MANIFESTS.join(", "));
            bounded(self.session.send(Method::GET, url, MAX_ANSWER, accepting).await?, MAX_ANSWER).await
        })
    }

    fn annotations(&self, manifest: &ImageManifest) -> Result<BTreeMap<String, String>> {
        match &manifest.config {
            Some(config) if manifest.annotations.is_empty() => {
                ensure!(config.size <= MAX_ANSWER, "{}: its configuration has {} bytes", self.reference, config.size);
                labels(config, || self.blob(config)).with_context(|| format!("{}: its configuration", self.reference))
            }
            _ => Ok(manifest.annotations.clone()),
        }
    }

    /// A blob, whose digest has been checked.
    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let Descriptor { digest, size, .. } = *descriptor;
        ensure!(size <= MAX_BYTES, "{}: {digest} has {size} bytes, too many for a module", self.reference);
        self.progress.inc_length(size);
        let mut bytes = Vec::new();
        self.wait(async {
            self.authenticate(Operation::Pull).await?;
            let url = self.url(&format!("blobs/{digest}"))?;
            let mut answer = self.session.send(Method::GET, url, size, |request| request).await?;
            while let Some(part) = answer.chunk().await? {
                self.progress.inc(part.len() as u64);
                bytes.extend_from_slice(&part);
                if bytes.len() as u64 > size {
                    break;
                }
            }
            Ok(())
        })?;
        ensure!(bytes.len() as u64 == size, "{}: {digest} does not have the {size} bytes it should", self.reference);
        let read = Digest::of(&bytes);
        ensure!(read == digest, "{}: the registry gives {read} for {digest}", self.reference);
        Ok(bytes)
    }
}

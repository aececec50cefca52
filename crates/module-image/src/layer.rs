//! The layer of a container image that holds a module: a gzipped tar with `plugin.wasm`.

use std::io::{self, Read, Write};

use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;

use crate::module::MAX_BYTES;

/// What fetchers look for, in whatever directory of the archive it is.
const FILE: &[u8] = b"plugin.wasm";
/// gzip's number for an unknown system.
const UNKNOWN_SYSTEM: u8 = 255;

/// A tar with the module as `plugin.wasm`. It names no time and no user, and so is the same wherever it is made.
pub(crate) fn tar(module: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::with_capacity(module.len() + 2048));
    append(&mut tar, "plugin.wasm", module)?;
    tar.into_inner()
}

/// Appends a file that anybody may read, from the beginning of time.
pub(crate) fn append(tar: &mut Builder<impl Write>, path: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    tar.append(&header, content)
}

/// The same bytes from the same input, with this version of the compressor.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let header = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
    let mut gzip = header.write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// Why a layer gives no module; the texts are Istio's.
#[derive(Debug, Error)]
pub enum NoPlugin {
    /// It is not gzipped.
    #[error("failed to parse layer as tar.gz: {0}")]
    NotGzip(io::Error),
    /// The archive is broken before the file is found.
    #[error("{0}")]
    Broken(io::Error),
    /// The file is cut, or goes beyond what is read of a layer.
    #[error("failed to read plugin.wasm: unexpected EOF")]
    Cut,
    /// There is no such file.
    #[error("plugin.wasm not found in the archive")]
    NotFound,
}

/// The first file called `plugin.wasm`, in any directory, as Istio finds it (`extractWasmPluginBinary` in
/// `pkg/wasm/imagefetcher.go`): within the first 256 MiB of the archive.
pub(crate) fn find_plugin(layer: &[u8]) -> Result<Vec<u8>, NoPlugin> {
    let mut gzip = MultiGzDecoder::new(layer);
    if gzip.header().is_none() {
        // The decoder keeps what is wrong with the header until it is read from.
        let error = gzip.read(&mut [0]).err();
        return Err(NoPlugin::NotGzip(error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())));
    }
    let mut archive = Archive::new(gzip.take(MAX_BYTES));
    for entry in archive.entries().map_err(NoPlugin::Broken)? {
        let entry = entry.map_err(NoPlugin::Broken)?;
        if base_name(&entry.path_bytes()) != FILE {
            continue;
        }
        let size = entry.size();
        if size > MAX_BYTES {
            // Of a sparse file, what is not in the archive would be read as well.
            return Err(NoPlugin::Cut);
        }
        let mut module = Vec::new();
        entry.take(size).read_to_end(&mut module).map_err(|_| NoPlugin::Cut)?;
        return if module.len() as u64 == size { Ok(module) } else { Err(NoPlugin::Cut) };
    }
    Err(NoPlugin::NotFound)
}

fn base_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let path = path.get(..end).unwrap_or_default();
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        for (path, content) in files {
            append(&mut tar, path, content).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn found(tar: &[u8]) -> Result<Vec<u8>, String> {
        find_plugin(&gzip(tar).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_packed_is_found() {
        assert_eq!(found(&tar(b"module").unwrap()), Ok(b"module".to_vec()));
    }

    #[test]
    fn the_first_in_any_directory_counts() {
        let tar = archive(&[("readme", b"r"), ("./a/plugin.wasm", b"first"), ("plugin.wasm", b"second")]);
        assert_eq!(found(&tar), Ok(b"first".to_vec()));
    }

    #[test]
    fn what_is_wrong_is_said_in_istios_words() {
        let other = archive(&[("plugin.wasm.txt", b"x"), ("my-plugin.wasm", b"x")]);
        assert_eq!(found(&other).unwrap_err(), "plugin.wasm not found in the archive");

        let cut = &tar(&[7; 4096]).unwrap()[..2048];
        assert_eq!(found(cut).unwrap_err(), "failed to read plugin.wasm: unexpected EOF");

        let error = find_plugin(b"no gzip").unwrap_err().to_string();
        assert!(error.starts_with("failed to parse layer as tar.gz: "), "{error}");
    }

    #[test]
    fn a_sparse_file_is_not_read_beyond_the_limit() {
        // A file of a terabyte that has not a byte in the archive.
        let mut header = Header::new_gnu();
        header.set_path("plugin.wasm").unwrap();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_size(0);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.realsize = *b"20000000000\0";
        gnu.sparse[0].offset = *b"20000000000\0";
        gnu.sparse[0].numbytes = *b"00000000000\0";
        header.set_cksum();
        let mut sparse = Builder::new(Vec::new());
        sparse.append(&header, io::empty()).unwrap();
        let sparse = sparse.into_inner().unwrap();
        assert_eq!(found(&sparse).unwrap_err(), "failed to read plugin.wasm: unexpected EOF");
    }

    #[test]
    fn odd_entries_are_passed_over() {
        for kind in [EntryType::Symlink, EntryType::Directory, EntryType::Fifo, EntryType::Link] {
            let mut tar = Builder::new(Vec::new());
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            tar.append_link(&mut header, "a/other", "/etc/passwd").unwrap();
            append(&mut tar, "plugin.wasm", b"module").unwrap();
            assert_eq!(found(&tar.into_inner().unwrap()), Ok(b"module".to_vec()), "{kind:?}");
        }
    }

    #[test]
    fn a_layer_names_no_time_no_user_and_no_system() {
        let tar = tar(b"module").unwrap();
        let header = Header::from_byte_slice(&tar[..512]);
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
        assert_eq!(header.mode().unwrap(), 0o644);

        // RFC 1952: magic, deflate, no flags, no time, best compression, no system.
        assert_eq!(gzip(&tar).unwrap()[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }
}

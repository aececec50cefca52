use thiserror::Error;

/// The largest that any fetcher reads, in bytes: the default of Istio's `ISTIO_WASM_MAX_BINARY_SIZE_BYTES`, and Envoy
/// Gateway's constant.
pub const MAX_BYTES: u64 = 256 << 20;

/// The header of a tar entry counts as well.
const TAR_HEADER: u64 = 512;

const MAGIC: &[u8] = b"\0asm";
/// A module of WebAssembly's core specification. A component has another version.
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];

/// A WebAssembly module that fits into an image of any form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Module(Vec<u8>);

/// The bytes are no module that a proxy could run.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NotAModule {
    /// It starts with something else.
    #[error("it does not start with WebAssembly's magic bytes `\\0asm` and a version: give a compiled module")]
    NotWebAssembly,
    /// WebAssembly, but no core module.
    #[error("it is WebAssembly, but no core module of version 1: proxies run no components")]
    NotACoreModule,
    /// Larger than any fetcher reads.
    #[error("it has {0} bytes, and fetchers read no more than {max}", max = MAX_BYTES - TAR_HEADER)]
    TooLarge(u64),
}

impl Module {
    /// Checks what a proxy and a fetcher would check, short of compiling it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, NotAModule> {
        let size = bytes.len() as u64;
        match bytes.strip_prefix(MAGIC) {
            _ if size > MAX_BYTES - TAR_HEADER => Err(NotAModule::TooLarge(size)),
            Some(rest) if rest.starts_with(&CORE_MODULE) => Ok(Self(bytes)),
            Some(rest) if rest.len() >= CORE_MODULE.len() => Err(NotAModule::NotACoreModule),
            _ => Err(NotAModule::NotWebAssembly),
        }
    }

    /// The module itself.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Istio's own test of what it has fetched (`isValidWasmBinary` in `pkg/wasm/cache.go`), which asks for less than
/// [`Module::parse`].
pub(crate) fn is_valid_wasm_binary(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.starts_with(MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_module_is_accepted_and_nothing_else() {
        let module = b"\0asm\x01\0\0\0".to_vec();
        assert_eq!(Module::parse(module.clone()).unwrap().bytes(), module);

        assert_eq!(Module::parse(b"\0asm\x0d\0\x01\0".to_vec()), Err(NotAModule::NotACoreModule));
        assert_eq!(Module::parse(b"\0asm\x01\0\0".to_vec()), Err(NotAModule::NotWebAssembly));
        assert_eq!(Module::parse(b"\x7fELF\x01\0\0\0".to_vec()), Err(NotAModule::NotWebAssembly));
        assert_eq!(Module::parse(Vec::new()), Err(NotAModule::NotWebAssembly));
    }

    #[test]
    fn a_module_that_fits_no_fetcher_is_refused() {
        let mut bytes = vec![0; (MAX_BYTES - TAR_HEADER) as usize];
        bytes[..8].copy_from_slice(b"\0asm\x01\0\0\0");
        assert!(Module::parse(bytes.clone()).is_ok());

        bytes.push(0);
        assert_eq!(Module::parse(bytes), Err(NotAModule::TooLarge(MAX_BYTES - TAR_HEADER + 1)));
    }
}

//! What the host calls.

/// The callbacks of a module, which [`crate::export`] exports.
///
/// Contexts are what the host calls its numbers for: a plug-in in a worker has one, and so has each of its streams. The
/// end of a context is not among the callbacks, because it would be paid for by every stream.
pub trait Module {
    /// A context begins: a stream of the plug-in `parent`, or a plug-in itself if that is 0.
    fn on_context_create(context: u32, parent: u32);

    /// The configuration of a plug-in is there to be read ([`crate::plugin_configuration`]). The host is told that it is
    /// accepted: what it does otherwise depends on what it was told before (`ARCHITECTURE.md`, "Configuration").
    fn on_configure(plugin: u32);

    /// The period of [`crate::set_tick_period`] has passed.
    fn on_tick(plugin: u32);

    /// The headers of a request are there to be read and written. The request goes on afterwards.
    fn on_request_headers(stream: u32);
}

/// Exports the callbacks of a [`Module`] and what else makes a WebAssembly module one of this ABI. Once in a `cdylib`.
///
/// The names are the ABI's; that nothing else in the module has them is what `unsafe` stands for here.
#[macro_export]
macro_rules! export {
    ($module:ty) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn proxy_abi_version_0_2_1() {}

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
                $crate::allocate(size)
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
                <$module as $crate::Module>::on_context_create(context, parent);
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_configure(plugin: u32, _size: usize) -> u32 {
                const ACCEPTED: u32 = 1;
                <$module as $crate::Module>::on_configure(plugin);
                ACCEPTED
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_tick(plugin: u32) {
                <$module as $crate::Module>::on_tick(plugin);
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_headers(stream: u32, _headers: usize, _end_of_stream: u32) -> u32 {
                const CONTINUE: u32 = 0;
                <$module as $crate::Module>::on_request_headers(stream);
                CONTINUE
            }
        };
    };
}

/// Memory that the host writes a result into, which [`crate::imports::Returned`] takes back.
#[doc(hidden)]
pub fn allocate(size: usize) -> *mut u8 {
    Box::leak(Box::<[u8]>::new_uninit_slice(size)).as_mut_ptr().cast()
}

//! What every filter's shell needs of the Proxy-Wasm host.
//!
//! A filter is a [`Logic`]: a pure function of a configuration and the headers. [`filter`] makes a module of it and sees
//! to what is the same for all filters: header access over bytes, counters, and a configuration that survives bad
//! updates. Nothing here decides anything about a request.

mod counters;
mod logic;
mod plugin;
mod request;
mod streams;
mod vm;

pub use logic::Logic;
#[doc(hidden)]
pub use proxy_wasm_abi as abi;
pub use request::HostRequest;
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub use rlsf;
pub use vm::Vm;

/// Makes a Proxy-Wasm module of a [`Logic`]: the whole of a filter's `cdylib` but for the logic itself.
#[macro_export]
macro_rules! filter {
    ($logic:ty) => {
        #[cfg(target_family = "wasm")]
        #[global_allocator]
        static ALLOCATOR: $crate::rlsf::SmallGlobalTlsf = $crate::rlsf::SmallGlobalTlsf::new();

        struct Filter;

        thread_local! {
            static VM: $crate::Vm<$logic> = $crate::Vm::default();
        }

        impl $crate::abi::Module for Filter {
            fn on_context_create(context: u32, parent: u32) {
                VM.with(|vm| vm.on_context_create(context, parent));
            }

            fn on_configure(plugin: u32) {
                VM.with(|vm| vm.on_configure(plugin));
            }

            fn on_tick(plugin: u32) {
                VM.with(|vm| vm.on_tick(plugin));
            }

            fn on_request_headers(stream: u32) {
                VM.with(|vm| vm.on_request_headers(stream));
            }
        }

        $crate::abi::export!(Filter);
    };
}

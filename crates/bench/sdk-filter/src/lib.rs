//! The rule that is measured, as one would write it with the Proxy-Wasm SDK for Rust: what the SDK costs.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType, LogLevel, MapType},
};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root));
}}

struct Root;

struct Stream;

impl Context for Root {}

impl RootContext for Root {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if let Ok(Some(user)) = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, "x-user-id")
            && !user.is_empty()
        {
            let tag = if hash_tagging::fnv1a32(&user) % 100 < 20 { "s2" } else { "s1" };
            self.set_http_request_header("x-asm-prefer-tag", Some(tag));
        }
        Action::Continue
    }
}

//! A registry that wants a token from elsewhere, as the public ones do; and has nothing.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use header_edit::RequestHeaders;

use crate::http1;

/// `jessie:canary`, in Base64.
const BASIC: &[u8] = b"Basic amVzc2llOmNhbmFyeQ==";
const BEARER: &[u8] = b"Bearer a-token";
const TOKEN_QUERY: &[u8] = b"/token?scope=repository%3Aprivate%3Apull&service=lanes";

/// Gives a token to [`crate::registry::USER`] alone, for pulling from the repository `private`. Ends with the process.
///
/// # Errors
/// There is no free port.
pub fn start() -> Result<SocketAddr> {
    http1::serve(Ipv4Addr::LOCALHOST.into(), |head, _| {
        let request = http1::decode(head)?;
        let path = request.first(":path").unwrap_or_default();
        let authorization = request.first("authorization").unwrap_or_default();
        let (status, body) = match (path.as_ref(), authorization.as_ref()) {
            (TOKEN_QUERY, BASIC) => ("200 OK", r#"{"token": "a-token"}"#),
            (path, _) if path.starts_with(b"/token") => ("401 Unauthorized", "who are you?"),
            (_, BEARER) => ("404 Not Found", r#"{"errors": [{"code": "MANIFEST_UNKNOWN"}]}"#),
            _ => ("401 Unauthorized", ""),
        };
        let authority = request.first(":authority").unwrap_or_default();
        let realm = format!("http://{}/token", authority.escape_ascii());
        let challenge = format!("www-authenticate: Bearer realm=\"{realm}\",service=\"lanes\"\r\n");
        Ok(http1::answer(status, &challenge, body.as_bytes()))
    })
}

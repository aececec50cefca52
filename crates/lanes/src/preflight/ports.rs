//! What a Service's port speaks, as Istio reads it (pkg/config/kube/conversion.go).

use super::cluster::ServicePort;
use crate::document::Protocol;

/// What a port speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Spoken {
    /// HTTP/1.1.
    Http,
    /// HTTP/2, gRPC included.
    Http2,
    /// Anything that Istio does not read as HTTP.
    Opaque,
    /// Nothing says it: Istio looks at the first bytes of every connection.
    Guessed,
}

/// Ports on which Istio guesses nothing: the server speaks first there.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

pub(crate) fn spoken(port: &ServicePort) -> Spoken {
    if matches!(port.protocol.as_str(), "UDP" | "SCTP") {
        return Spoken::Opaque;
    }
    let name = port.app_protocol.as_deref().unwrap_or(&port.name).to_ascii_lowercase();
    match (port.app_protocol.is_some(), name.as_str()) {
        (true, "kubernetes.io/h2c") => return Spoken::Http2,
        (true, "kubernetes.io/ws") => return Spoken::Http,
        (true, "kubernetes.io/wss") => return Spoken::Opaque,
        _ => {}
    }
    match name.split('-').next().unwrap_or_default() {
        "http" | "http_proxy" => Spoken::Http,
        "http2" | "grpc" => Spoken::Http2,
        "tcp" | "udp" | "https" | "tls" | "mongo" | "redis" | "mysql" => Spoken::Opaque,
        _ if SERVER_FIRST.contains(&port.port) => Spoken::Opaque,
        _ => Spoken::Guessed,
    }
}

/// What goes wrong if a port that speaks one is asked for as the other.
pub(super) fn mismatch(spoken: Spoken, asked: Protocol) -> Option<&'static str> {
    match (spoken, asked) {
        (Spoken::Opaque, _) => Some(
            "Istio takes the port for something else than HTTP, so no route of the group applies to it: requests go to any pod of \
            any lane",
        ),
        (Spoken::Http, Protocol::Http2 | Protocol::Grpc) => Some(
            "Istio speaks HTTP/1.1 to the pods of the port and the group HTTP/2: gRPC and HTTP/2 requests into a lane fail",
        ),
        (Spoken::Http2, Protocol::Http) => Some(
            "Istio speaks HTTP/2 to the pods of the port and the group HTTP/1.1: with mutual TLS, requests into a lane fail",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, app_protocol: Option<&str>, number: u16) -> ServicePort {
        let (name, app_protocol) = (name.to_owned(), app_protocol.map(str::to_owned));
        ServicePort { name, port: number, app_protocol, ..ServicePort::default() }
    }

    #[test]
    fn a_port_speaks_what_its_application_protocol_or_its_name_says() {
        let by_name = |name| spoken(&port(name, None, 80));
        assert_eq!(["http", "http-web", "HTTP"].map(by_name), [Spoken::Http; 3]);
        assert_eq!(["grpc", "grpc-web", "grpc-web-x", "http2-a"].map(by_name), [Spoken::Http2; 4]);
        assert_eq!(["tcp-x", "https", "tls", "redis"].map(by_name), [Spoken::Opaque; 4]);
        assert_eq!(["", "web", "httpx"].map(by_name), [Spoken::Guessed; 3]);
        assert_eq!(spoken(&port("http", Some("tcp"), 80)), Spoken::Opaque, "the application protocol counts more");
        assert_eq!(spoken(&port("tcp", Some("kubernetes.io/h2c"), 80)), Spoken::Http2);
        assert_eq!(spoken(&port("db", None, 3306)), Spoken::Opaque);
    }

    #[test]
    fn what_is_guessed_fits_everything() {
        assert_eq!(mismatch(Spoken::Guessed, Protocol::Grpc), None);
        assert_eq!(mismatch(Spoken::Http2, Protocol::Grpc), None);
        assert!(mismatch(Spoken::Http, Protocol::Grpc).is_some() && mismatch(Spoken::Http2, Protocol::Http).is_some());
    }
}

//! Identities from JSON Web Tokens that Envoy's own `jwt_authn` has verified, in real Envoys: what a client cannot sign, it
//! cannot be.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use local_mesh::Envoy;
use serde_json::{Value, json};
use sha2::Sha256;
use traffic_lanes_tests::{
    http1, module,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

const KEY: &[u8] = b"what nobody but the issuer knows";
const HOUR: i64 = 3600;

/// A token, signed with `key`.
fn signed(key: &[u8], payload: &Value) -> String {
    let [header, payload] = [json!({"alg": "HS256", "typ": "JWT", "kid": "key"}), payload.clone()]
        .map(|part| BASE64.encode(part.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{header}.{payload}").as_bytes());
    format!("{header}.{payload}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// The claims of somebody, from the issuer, until `expires` seconds from now.
fn claims(expires: i64, own: &Value) -> Value {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut claims = json!({"iss": "issuer", "exp": now + expires});
    claims.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    claims
}

fn token(own: &Value) -> String {
    signed(KEY, &claims(HOUR, own))
}

/// `jwt_authn` as Istio sets it up: the payload in the metadata, and whoever has no token passes.
fn jwt_authn() -> Value {
    let keys = json!({"keys": [{"kty": "oct", "kid": "key", "alg": "HS256", "k": BASE64.encode(KEY)}]});
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"issuer": {
                "issuer": "issuer",
                "local_jwks": {"inline_string": keys.to_string()},
                "payload_in_metadata": "payload",
                "claim_to_headers": [{"claim_name": "sub", "header_name": "x-user-id"}],
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "issuer"}, {"allow_missing": {}},
            ]}}}],
        },
    })
}

/// A gateway whose listeners are named by the place of the identity, and one whose tagging comes too early.
struct Gateway(Envoy);

impl Gateway {
    fn start() -> Self {
        let tagging = |identity: Value| {
            let policies = json!([{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]);
            let rule = json!({"identity": [identity], "modulo": 100, "tagHeader": "lane", "policies": policies});
            let config = json!({"clients": "mayNot", "rules": [rule]}).to_string();
            wasm(&module("hash_tagging.wasm").unwrap(), "lanes", &string_value(&config))
        };
        let listeners = [
            listener("sub", None, &[jwt_authn(), tagging(json!({"claim": "sub"}))]),
            listener("number", None, &[jwt_authn(), tagging(json!({"claim": "number"}))]),
            listener("header", None, &[jwt_authn(), tagging(json!({"header": "x-user-id"}))]),
            listener("early", None, &[tagging(json!({"claim": "sub"})), jwt_authn()]),
        ];
        Self(run(&bootstrap(&listeners).unwrap()).unwrap())
    }

    /// The tag that arrives, or the status of a request that does not.
    fn tag(&self, listener: &str, lines: &[(&str, &str)]) -> Result<Option<String>, u16> {
        let response = http1::send(self.0.listener_address(listener).unwrap(), &http1::get(lines)).unwrap();
        if response.status != 200 {
            return Err(response.status);
        }
        Ok(http1::text(&http1::decode(&response.body).unwrap(), "lane"))
    }

    fn tag_of_token(&self, listener: &str, token: &str) -> Result<Option<String>, u16> {
        self.tag(listener, &[("authorization", &format!("Bearer {token}")), ("lane", "s3")])
    }
}

fn tagged(tag: &str) -> Result<Option<String>, u16> {
    Ok(Some(tag.to_owned()))
}

#[test]
fn a_verified_claim_is_an_identity_and_nothing_else_is() {
    let gateway = Gateway::start();
    // The published buckets: 16 and 44.
    assert_eq!(gateway.tag_of_token("sub", &token(&json!({"sub": "jessie"}))), tagged("s2"));
    assert_eq!(gateway.tag_of_token("sub", &token(&json!({"sub": "bob"}))), tagged("s1"));

    let jessie = json!({"sub": "jessie"});
    let expired = signed(KEY, &claims(-HOUR, &jessie));
    let forged = signed(b"what the client thought up itself", &claims(HOUR, &jessie));
    let unsigned = {
        let [header, payload] =
            [json!({"alg": "none"}), claims(HOUR, &jessie)].map(|part| BASE64.encode(part.to_string()));
        format!("{header}.{payload}.")
    };
    for token in [expired, forged, unsigned] {
        assert_eq!(gateway.tag_of_token("sub", &token), Err(401), "{token}");
    }
    assert_eq!(gateway.tag("sub", &[]), Ok(None), "no token");
    assert_eq!(gateway.tag("sub", &[("x-user-id", "jessie"), ("sub", "jessie"), ("lane", "s2")]), Ok(None), "headers");
    assert_eq!(gateway.tag_of_token("sub", &token(&json!({"name": "jessie"}))), Ok(None), "another claim");
    assert_eq!(gateway.tag_of_token("sub", &token(&json!({"sub": ""}))), Ok(None), "an empty claim");
}

/// FNV-1a of `42`, `1234567890123` and `-7` modulo 100, as in `tests/testdata/hash-vectors.py`.
#[test]
fn a_number_is_the_identity_that_its_digits_are() {
    let gateway = Gateway::start();
    for number in [json!(42), json!(1_234_567_890_123_i64), json!(-7), json!(0)] {
        let [of_number, of_text] = [number.clone(), json!(number.to_string())]
            .map(|claim| gateway.tag_of_token("number", &token(&json!({"number": claim}))));
        assert_eq!(of_number, of_text, "{number}");
        assert!(of_number.unwrap().is_some(), "{number}");
    }
    for other in [json!(0.5), json!(true), json!(null), json!(["jessie"]), json!({"id": "jessie"}), json!("a\u{1}b")] {
        assert_eq!(gateway.tag_of_token("number", &token(&json!({"number": other}))), Ok(None), "{other}");
    }
}

/// The other way: `outputClaimToHeaders`, which Istio makes `claim_to_headers` of.
#[test]
fn a_claim_that_envoy_copies_into_a_header_replaces_the_clients_header() {
    let gateway = Gateway::start();
    let bearer = format!("Bearer {}", token(&json!({"sub": "jessie"})));
    assert_eq!(gateway.tag("header", &[("authorization", &bearer), ("x-user-id", "bob")]), tagged("s2"));
    assert_eq!(gateway.tag("header", &[("x-user-id", "bob")]), Ok(None), "no token");
}

/// What Istio's phase AUTHN comes to.
#[test]
fn before_the_token_is_verified_there_is_no_claim() {
    let gateway = Gateway::start();
    assert_eq!(gateway.tag_of_token("early", &token(&json!({"sub": "jessie"}))), Ok(None));
}

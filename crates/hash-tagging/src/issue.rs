//! Ids for clients that have none.

use header_edit::HeaderValue;

/// The longest that browsers keep a cookie, in seconds: 400 days (RFC 6265bis, section 5.5).
pub(crate) const MAX_AGE: u32 = 400 * 24 * 60 * 60;

/// A cookie that is given to whoever comes without.
#[derive(Debug)]
pub(crate) struct Issue {
    pub(crate) cookie: String,
    /// In seconds.
    pub(crate) max_age: u32,
    /// The index of the counter of ids.
    pub(crate) issued: usize,
    /// The same of those that could not be drawn.
    pub(crate) failed: usize,
}

/// An id that a client needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issued {
    /// The value of the line `set-cookie` that gives it to the client, beside those that the response has; `None` if no id could
    /// be drawn.
    pub set_cookie: Option<HeaderValue>,
    /// The index of the counter in [`crate::Tagger::counters`] that counts this.
    pub counter: usize,
}

/// 128 random bits as they stand in the cookie.
pub(crate) fn id(bits: u128) -> String {
    format!("{bits:032x}")
}

impl Issue {
    pub(crate) fn of(&self, id: Option<&str>) -> Issued {
        let set_cookie = id.and_then(|id| {
            let Self { cookie, max_age, .. } = self;
            let line = format!("{cookie}={id}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=Lax");
            HeaderValue::parse(line).ok()
        });
        let counter = if set_cookie.is_some() { self.issued } else { self.failed };
        Issued { set_cookie, counter }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use header_edit::{HeaderList, RequestHeaders};
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::Tagger;

    const ISSUING: &str = r#"{"rules": [{"identity": [{"header": "x"}, {"cookie": "uid", "issueMaxAgeSeconds": 60}],
        "modulo": 100, "tagHeader": "t", "policies": [{"range": 50, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]}]}"#;

    /// The tag of a request for which these bits are drawn, what is issued, and how often was drawn.
    fn tagged(lines: &[(&str, &str)], bits: Option<u128>) -> (Option<String>, Vec<Option<String>>, u32) {
        let tagger = Tagger::parse(ISSUING.as_bytes()).unwrap();
        let mut headers: HeaderList = lines.iter().copied().collect();
        let drawn = Cell::new(0);
        let draw = || {
            drawn.set(drawn.get() + 1);
            bits
        };
        let (edits, issued) = tagger.tag_and_issue(&headers.clone(), &draw, |_| {});
        headers.apply(edits);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let issued = issued.iter().map(|issued| issued.set_cookie.as_ref().map(|line| text(line.as_bytes()))).collect();
        (headers.first("t").map(|tag| text(&tag)), issued, drawn.get())
    }

    #[test]
    fn who_has_no_identity_gets_one_and_its_lane_at_once() {
        for lines in [&[][..], &[("cookie", "other=1")], &[("cookie", "uid=")], &[("cookie", "uid=\"\"")]] {
            for bits in [7, u128::MAX] {
                let (tag, issued, drawn) = tagged(lines, Some(bits));
                let id = id(bits);
                let line = format!("uid={id}; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax");
                assert_eq!((issued, drawn), (vec![Some(line)], 1), "{lines:?}");
                let (later, none, never) = tagged(&[("cookie", &format!("uid={id}"))], Some(1));
                assert_eq!((tag, 0, vec![]), (later, never, none), "{lines:?}");
            }
        }
    }

    #[test]
    fn who_has_an_identity_gets_none() {
        for lines in [[("x", "jessie")], [("cookie", "uid=jessie")]] {
            assert_eq!(tagged(&lines, Some(1)).1, [], "{lines:?}");
        }
    }

    #[test]
    fn without_random_bits_there_is_no_identity() {
        assert_eq!(tagged(&[], None), (None, vec![None], 1));
    }

    #[test]
    fn rules_share_the_id_of_a_cookie_and_have_one_each_of_others() {
        let rule = |tag: &str, cookie: &str| {
            format!(
                r#"{{"identity": [{{"cookie": "{cookie}", "issueMaxAgeSeconds": 60}}], "modulo": 1, "tagHeader": "{tag}",
                    "policies": [{{"range": 1, "tagValue": "s"}}]}}"#
            )
        };
        let rules = [rule("a", "uid"), rule("b", "uid"), rule("c", "other")].join(",");
        let tagger = Tagger::parse(format!(r#"{{"rules": [{rules}]}}"#).as_bytes()).unwrap();
        let next = Cell::new(0);
        let draw = || {
            next.set(next.get() + 1);
            Some(next.get())
        };
        let (edits, issued) = tagger.tag_and_issue(&HeaderList::default(), &draw, |_| {});
        assert_eq!((edits.len(), issued.len(), next.get()), (3, 2, 2));
        let counted = issued.iter().map(|issued| tagger.counters()[issued.counter].as_str());
        assert_eq!(counted.collect::<Vec<_>>(), ["hash_tagging_issued_ids"; 2]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |identity: &str, more: &str| {
            let rule = format!(
                r#"{{"rules": [{{"identity": [{identity}], "modulo": 1, "tagHeader": "t", "policies": [{{"range": 1, "tagValue": "s"}}]{more}}}]}}"#
            );
            Tagger::parse(rule.as_bytes()).map_or_else(|refused| refused.to_string(), |_| String::new())
        };
        let issuing = |seconds: &str| format!(r#"{{"cookie": "uid", "issueMaxAgeSeconds": {seconds}}}"#);
        let path = "rules[0].identity[0].issueMaxAgeSeconds";
        for seconds in ["1", "34560000"] {
            assert_eq!(refused(&issuing(seconds), ""), "");
        }
        for seconds in ["0", "34560001"] {
            let message = format!("{path}: expected 1 to 34560000 seconds, which are 400 days");
            assert_eq!(refused(&issuing(seconds), ""), message);
        }
        let message = "who comes without the cookie gets it, and no later place is ever looked at: move it to the end";
        assert_eq!(refused(&format!(r#"{}, {{"header": "x"}}"#, issuing("1")), ""), format!("{path}: {message}"));
        let message = "a shadow rule writes nothing: leave it out";
        assert_eq!(refused(&issuing("1"), r#", "shadow": true"#), format!("{path}: {message}"));
        let message = "only a cookie can be issued: give `cookie` beside it";
        assert_eq!(refused(r#"{"header": "x", "issueMaxAgeSeconds": 1}"#, ""), format!("{path}: {message}"));
    }

    #[test]
    fn a_cookie_has_one_age() {
        let rule = |seconds: u32| {
            format!(
                r#"{{"identity": [{{"cookie": "uid", "issueMaxAgeSeconds": {seconds}}}], "modulo": 1, "tagHeader": "t",
                    "policies": [{{"range": 1, "tagValue": "s"}}]}}"#
            )
        };
        let refused = Tagger::parse(format!(r#"{{"rules": [{}, {}]}}"#, rule(1), rule(2)).as_bytes()).unwrap_err();
        let path = "rules[1].identity[0].issueMaxAgeSeconds";
        assert_eq!(
            refused.to_string(),
            format!("{path}: an earlier rule issues this cookie for another time: say the same")
        );
    }

    #[test]
    fn without_responses_nothing_can_be_issued() {
        let refused = Tagger::parse_without_responses(ISSUING.as_bytes()).unwrap_err();
        let message = "this module sees no responses: load hash_tagging_cookie.wasm instead";
        assert_eq!(refused.to_string(), format!("rules[0].identity[1].issueMaxAgeSeconds: {message}"));
    }
}

//! Names of metrics.

/// A metric's name with its labels, in the form that the tag extraction of Istio's bootstrap (`extraStatTags`) and of
/// `envoy/*/gateway.yaml` takes apart: `key=.=value;.;metric`.
///
/// A label's value is made safe, see [`label`]; how many values there are is for the caller to bound, because Envoy never
/// frees a metric.
pub fn metric_name(labels: &[(&str, &[u8])], metric: &str) -> String {
    let labels: String = labels.iter().map(|(key, value)| format!("{key}=.={};.;", label(value))).collect();
    labels + metric
}

/// The text with everything but letters, digits, `-` and `_` replaced by `_`: safe wherever names are shown, also
/// between the dots and semicolons of a metric's name.
pub fn label(text: &[u8]) -> String {
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.iter().map(|byte| if safe(byte) { char::from(*byte) } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn separators_cannot_come_from_a_value() {
        let name = metric_name(&[("rule", b"a;.;b=.=c"), ("tag_value", b"v1.2")], "decisions");
        assert_eq!(name, "rule=.=a___b___c;.;tag_value=.=v1_2;.;decisions");
    }
}

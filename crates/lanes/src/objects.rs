//! Objects of Kubernetes, as far as anything is read of them.

/// Types of objects by their fields, whose names are in camel case. What an object does not have is empty, and what is not
/// named here is passed over.
macro_rules! objects {
    ($($(#[$about:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Default, serde::Deserialize)]
            #[serde(default, rename_all = "camelCase")]
            pub(crate) struct $name { $($(#[$attribute])* pub(crate) $field: $type,)* }
        )+
    };
}

pub(crate) use objects;

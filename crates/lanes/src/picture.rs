//! What all pictures have in common: colours, text that fits, and SVG.
//!
//! A picture is a text that is the same for the same document, byte for byte. It has a background of its own, light or dark as
//! the reader's system is, and says in words what it shows.

mod colour;
mod svg;
mod text;

pub(crate) use colour::{Colours, colour};
pub(crate) use svg::{Element, Picture};
pub(crate) use text::{listed, number, shortened, width};

/// The sizes of text.
pub(crate) const TITLE: f64 = 20.0;
pub(crate) const TEXT: f64 = 13.0;
pub(crate) const SMALL: f64 = 11.0;
/// Around everything.
pub(crate) const MARGIN: f64 = 28.0;

//! The kernels' names on other processors: no [`Ifma`] ever exists there to call them with.

use crate::{COLUMNS, DIGITS, Entry, Halves, RawPoint};
use ark_bn254::{Fr, G1Affine};
use std::convert::Infallible;

/// What no processor of this kind has.
#[derive(Clone, Copy, Debug)]
pub struct Ifma(Infallible);

/// The bytes of many scalars.
#[derive(Clone, Debug, Default)]
pub struct Digits(Option<Infallible>);

impl Digits {
    /// Returns the number of scalars.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.0.is_some())
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Working memory of additions.
#[derive(Debug)]
pub struct Adder(Ifma);

impl Adder {
    /// Returns working memory.
    #[must_use]
    pub fn new(ifma: Ifma) -> Self {
        Self(ifma)
    }

    /// Cannot be called.
    pub fn add_pairs(&mut self, _: &[G1Affine], _: &mut Vec<RawPoint>, _: &mut Vec<[Entry; 2]>) {
        match self.0.0 {}
    }
}

macro_rules! absent {
    ($($name:ident($($kind:ty),*) $(-> $result:ty)?;)*) => {$(
        /// Cannot be called.
        pub fn $name(self, $(_: $kind),*) $(-> $result)? {
            match self.0 {}
        }
    )*};
}

impl Ifma {
    /// Magnitudes that [`Ifma::combine`] takes are below this.
    pub const COMBINED: i64 = 1 << 50;

    /// Returns nothing.
    #[must_use]
    pub fn detect() -> Option<Self> {
        None
    }

    absent! {
        fold(&mut [Fr], &[Fr], Fr);
        fold_pairs(&[Fr], Fr, &mut [Fr]);
        expand_eq(&mut [Fr], &mut [Fr], Fr);
        add_scaled(&mut [Fr], Fr, &[Fr]);
        multiply(&mut [Fr], &[Fr]);
        inner_product(&[Fr], &[Fr]) -> Fr;
        product_round(Halves, Halves) -> [Fr; 2];
        triple_round(Halves, Halves, Halves) -> [Fr; 3];
        eq_product_round(&[Fr], Halves, Halves) -> [Fr; 2];
        logup_round(&[Fr], [Halves; 4]) -> [Fr; 2];
        logup_parents(Halves, Halves, &mut [Fr], &mut [Fr]);
        combine(&[&[i64]], &[Fr], &mut [Fr]);
        cut(&[Fr], &mut Digits);
        add_columns(&[[i8; COLUMNS]], &Digits, usize, &mut [[i32; COLUMNS]; DIGITS]);
    }

    /// Cannot be called.
    pub fn add_rows<const R: usize>(self, _: [&[i8]; R], _: &Digits, _: &mut [[i32; DIGITS]; R]) {
        match self.0 {}
    }
}

//! The verifier's half.

use crate::ArgumentError;
use crate::challenges::cut;
use crate::slots::Checked;
use crate::sumcheck::verify_plain;
use crate::virtuals::axis_weights;
use zkdps_field::Fr;
use zkdps_field::One;
use zkdps_field::scalar::{power_of_two, powers};
use zkdps_poly::eq_table;
use zkdps_program::{Axis, Link, Phase, Source};
use zkdps_transcript::{Receiver, Tag};

/// Checks the links and receives the link slots.
///
/// # Errors
/// A message is malformed, or the slots do not give the sum-check's end.
pub fn verify_links(receiver: &mut Receiver, checked: &mut Checked) -> Result<(), ArgumentError> {
    let program = checked.program;
    if program.links.is_empty() {
        return Ok(());
    }
    let powers = powers(receiver.challenge(), program.links.len());
    let rounds = program.link_rounds;
    // Σ_k ω^k 2^(rounds − l_k) v_k
    let start = program
        .links
        .iter()
        .zip(&powers)
        .map(|(link, power)| {
            let waiting = power_of_two((rounds - link.variables()) as u32);
            *power * checked.slots[link.window] * waiting
        })
        .sum();
    let (r_l, expected) = verify_plain(receiver, Tag::LinkRound, start, rounds, 2)?;
    checked.challenges.set(Source::Link, r_l);
    checked.receive_slots(receiver, Phase::Link)?;
    let got = program
        .links
        .iter()
        .zip(&powers)
        .map(|(link, power)| *power * evaluate(checked, link))
        .sum();
    if expected != got {
        return Err(ArgumentError::End {
            phase: "link",
            expected,
            got,
        });
    }
    Ok(())
}

/// Returns `S_H` `S_W` X at `r_L`.
fn evaluate(checked: &Checked, link: &Link) -> Fr {
    let r_l = checked.challenges.vector(Source::Link);
    let axis = |axis: &Axis, end: usize| -> Fr {
        let at = eq_table(cut(r_l, end, axis.log_in), Fr::one());
        axis_weights(axis, &checked.challenges)
            .iter()
            .zip(&at)
            .map(|(s, e)| *s * e)
            .sum()
    };
    let (height, width) = (axis(&link.height, link.width.log_in), axis(&link.width, 0));
    height * width * checked.slots[link.tensor]
}

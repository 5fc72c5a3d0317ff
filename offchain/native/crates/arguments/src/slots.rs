//! The verifier's slots: received, or evaluated from public tensors (FORMAT.md 3.3).

use crate::ArgumentError;
use crate::challenges::Challenges;
use zkdps_field::Fr;
use zkdps_program::{Phase, Program, SlotKind};
use zkdps_transcript::{Receiver, Tag};

/// What a verifier knows of public tensors.
pub trait PublicTensors {
    /// Returns a public tensor's extension at a point.
    fn evaluate(&self, tensor: usize, point: &[Fr]) -> Fr;
    /// Returns Σ_t eq(p, bits(t)) eq(q, bits(x_t)) over an input's elements, p ‖ q being the point.
    fn one_hot(&self, tensor: usize, point: &[Fr]) -> Fr;
}

/// A proof being checked: challenges drawn and slots received so far.
#[allow(missing_debug_implementations)]
pub struct Checked<'a> {
    /// The program.
    pub program: &'a Program,
    /// Public tensors.
    pub public: &'a dyn PublicTensors,
    /// Challenge vectors.
    pub challenges: Challenges,
    /// Values of the slots of all phases so far.
    pub slots: Vec<Fr>,
}

impl Checked<'_> {
    /// Receives the slots of a phase and evaluates its public ones.
    ///
    /// # Errors
    /// The message is missing or not canonical.
    pub fn receive_slots(
        &mut self,
        receiver: &mut Receiver,
        phase: Phase,
    ) -> Result<(), ArgumentError> {
        let slots = self.program.counts.range(phase);
        let sent = slots.clone().filter(|k| !self.program.is_evaluated(*k));
        let mut received = receiver
            .receive_scalars(tag(phase), sent.count())?
            .into_iter();
        for k in slots {
            let value = if self.program.is_evaluated(k) {
                self.evaluate(k)
            } else {
                received.next().unwrap_or_default()
            };
            self.slots.push(value);
        }
        Ok(())
    }

    fn evaluate(&self, slot: usize) -> Fr {
        let slot = &self.program.slots[slot];
        let point = self.challenges.point(&slot.point);
        match (slot.kind, slot.tensor) {
            (SlotKind::OneHot, Some(tensor)) => self.public.one_hot(tensor, &point),
            (SlotKind::Tensor, Some(tensor)) => self.public.evaluate(tensor, &point),
            _ => Fr::default(),
        }
    }

    /// Returns the value of every relation's expression.
    #[must_use]
    pub fn relation_values(&self) -> Vec<Fr> {
        relation_values(self.program, &self.challenges, &self.slots)
    }
}

/// Returns the value of every relation's expression from the leaf and direct slots.
#[must_use]
pub fn relation_values(program: &Program, challenges: &Challenges, slots: &[Fr]) -> Vec<Fr> {
    program
        .relations
        .iter()
        .map(|relation| challenges.expression(program, &relation.expression, slots))
        .collect()
}

/// Returns the tag of a phase's slots.
#[must_use]
pub fn tag(phase: Phase) -> Tag {
    match phase {
        Phase::Leaf => Tag::Leaves,
        Phase::Direct => Tag::Direct,
        Phase::Product => Tag::Product,
        Phase::Contraction => Tag::Contract,
        Phase::Link => Tag::Link,
    }
}

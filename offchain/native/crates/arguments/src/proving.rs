//! What the prover's halves share: program, witness, challenges and slots so far.

use crate::binding::{Cells, bind, evaluate};
use crate::challenges::Challenges;
use crate::slots::tag;
use crate::sumcheck::Column;
use crate::virtuals::{one_hot_column, virtual_column, window_column};
use rayon::prelude::*;
use zkdps_field::Fr;
use zkdps_program::{Phase, Program, SlotKind, Source, VirtualSlot};
use zkdps_transcript::Sender;

/// A proof being made.
#[derive(Clone, Debug)]
pub struct Proving<'a> {
    /// The program.
    pub program: &'a Program,
    /// Padded tensors by id; late ones are empty until they are computed.
    pub tensors: &'a [Cells<'a>],
    /// Challenge vectors.
    pub challenges: Challenges,
    /// Values of the slots of all phases so far.
    pub slots: Vec<Fr>,
}

impl Proving<'_> {
    /// Evaluates the slots of a phase whose points are known, and sends them.
    pub fn send_evaluated(&mut self, sender: &mut Sender, phase: Phase) {
        let values: Vec<Fr> = self
            .program
            .counts
            .range(phase)
            .into_par_iter()
            .map(|slot| self.evaluate(slot))
            .collect();
        self.send_slots(sender, phase, &values);
    }

    /// Sends the slots of a phase that the verifier does not evaluate itself.
    pub fn send_slots(&mut self, sender: &mut Sender, phase: Phase, values: &[Fr]) {
        let sent: Vec<Fr> = self
            .program
            .counts
            .range(phase)
            .zip(values)
            .filter(|(slot, _)| !self.program.is_evaluated(*slot))
            .map(|(_, value)| *value)
            .collect();
        sender.send_scalars(tag(phase), &sent);
        self.slots.extend(values);
    }

    fn evaluate(&self, slot: usize) -> Fr {
        let entry = &self.program.slots[slot];
        match entry.tensor {
            Some(tensor) if entry.kind == SlotKind::Tensor => {
                evaluate(self.tensors[tensor], &self.challenges.point(&entry.point))
            }
            // No coordinate of a link occurs in slots that are sent before it.
            _ => self.column(slot, Source::Link).value(),
        }
    }

    /// Returns the slots of a phase as functions of the source that the phase binds.
    #[must_use]
    pub fn columns(&self, phase: Phase, source: Source) -> Vec<Column> {
        self.program
            .counts
            .range(phase)
            .into_par_iter()
            .map(|slot| self.column(slot, source))
            .collect()
    }

    /// Returns a slot as a function of `source`, all other coordinates bound.
    #[must_use]
    pub fn column(&self, slot: usize, source: Source) -> Column {
        let entry = &self.program.slots[slot];
        match (entry.kind, entry.tensor) {
            (SlotKind::OneHot, Some(_)) => one_hot_column(self, slot, source),
            (SlotKind::Tensor, Some(tensor)) => bind(
                self.tensors[tensor],
                &entry.point,
                &self.challenges,
                &[(source, 0)],
            ),
            _ => match self.program.virtual_slots.get(&slot) {
                Some(VirtualSlot::Instance(index)) => {
                    virtual_column(self, &self.program.instances[*index], source)
                }
                Some(VirtualSlot::Link(index)) => {
                    window_column(self, &self.program.links[*index], source)
                }
                None => Column::constant(Fr::default()),
            },
        }
    }
}

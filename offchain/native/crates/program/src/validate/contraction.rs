//! Contraction instances and links.

use super::points::{disjoint, function_mask, validate_segment, within};
use super::{Reason, each, holds, in_range, is_empty_phase};
use crate::{
    Axis, Instance, Link, Origin, Phase, Program, ProgramError, Residual, SlotKind, Source,
    VirtualSlot, interval, segments_mask,
};

/// Sums over window positions that a verifier is ready to make, over all links.
const MAX_WINDOW_STEPS: usize = 1 << 20;

pub(super) fn validate_instances(program: &Program) -> Result<(), ProgramError> {
    let instances = &program.instances;
    each("instance", instances, |_, instance| {
        validate_instance(program, instance)
    })?;
    let mut named: Vec<usize> = instances
        .iter()
        .filter(|instance| instance.origin == Origin::Relation)
        .map(|instance| instance.index)
        .collect();
    named.sort_unstable();
    let relations: Vec<usize> = program.relations_with(Residual::Contraction).collect();
    each("instance", &[named == relations], |_, is_bijection| {
        holds(
            *is_bijection,
            "relations and instances do not name each other once",
        )
    })?;
    let rounds = instances.iter().map(|i| i.variables).max().unwrap_or(0);
    in_range(
        "contraction rounds",
        program.contraction_rounds,
        rounds..=rounds,
        "the largest instance's",
    )?;
    let degree = 2 + usize::from(instances.iter().any(Instance::is_weighted));
    in_range(
        "contraction degree",
        program.degree,
        degree..=degree,
        "3 if an instance has a public factor, else 2",
    )?;
    each("phase", &[Phase::Contraction], |_, phase| {
        holds(
            !instances.is_empty() || is_empty_phase(program, *phase, rounds),
            "has slots but no instance",
        )
    })
}

fn validate_instance(program: &Program, instance: &Instance) -> Result<(), Reason> {
    let variables = instance.variables;
    match instance.origin {
        Origin::Relation => holds(
            program
                .relations
                .get(instance.index)
                .is_some_and(|relation| relation.residual == Residual::Contraction),
            "does not belong to a relation with a contraction",
        )?,
        Origin::Slot => {
            holds(
                instance.index < program.counts.until(Phase::Product),
                "proves a slot that is sent too late",
            )?;
            holds(
                [instance.a, instance.b].iter().all(|slot| {
                    program
                        .slots
                        .get(*slot)
                        .is_some_and(|slot| slot.kind != SlotKind::Virtual)
                }),
                "proves a virtual slot from a virtual slot",
            )?;
        }
    }
    for slot in [instance.a, instance.b] {
        holds(
            slot < program.counts.until(Phase::Contraction),
            "uses a slot that is not sent yet",
        )?;
        within(contraction_mask(program, slot)?, variables)?;
    }
    let function = instance.function.map_or(Ok(0), |function| {
        function_mask(program, function, variables)
    })?;
    for tie in &instance.ties {
        validate_segment(program, &tie.segment, Phase::Product)?;
        holds(
            tie.end + tie.segment.length <= variables,
            "ties coordinates in front of its own variables",
        )?;
    }
    let ties = instance
        .ties
        .iter()
        .map(|tie| interval(tie.end, tie.segment.length));
    within(disjoint(ties.chain([function]))?, variables)
}

/// Returns the coordinates of `r_C` on which a slot depends.
fn contraction_mask(program: &Program, slot: usize) -> Result<u64, Reason> {
    match program.slots[slot].kind {
        _ if program.counts.phase(slot) != Phase::Contraction => Ok(0),
        SlotKind::Virtual => {
            let Some(VirtualSlot::Link(link)) = program.virtual_slots.get(&slot) else {
                return Err("uses a window without a link");
            };
            window_mask(program, &program.links[*link])
        }
        _ => Ok(program.slots[slot].mask(Source::Contraction)),
    }
}

/// Returns the coordinates of `r_P` on which a slot of the product phase depends.
pub(super) fn virtual_mask(program: &Program, slot: usize) -> Result<u64, Reason> {
    if program.slots[slot].kind != SlotKind::Virtual {
        return Ok(program.slots[slot].mask(Source::Product));
    }
    let Some(VirtualSlot::Instance(index)) = program.virtual_slots.get(&slot) else {
        return Err("uses a virtual slot that no instance proves");
    };
    let instance = &program.instances[*index];
    let operands = [instance.a, instance.b]
        .into_iter()
        .filter_map(|slot| program.slots.get(slot))
        .map(|slot| slot.mask(Source::Product));
    let ties = instance
        .ties
        .iter()
        .map(|tie| segments_mask([&tie.segment], Source::Product));
    disjoint(operands.chain(ties))
}

/// Returns the coordinates of `r_C` on which a window slot depends.
fn window_mask(program: &Program, link: &Link) -> Result<u64, Reason> {
    let tensor = program.slots.get(link.tensor).ok_or("has no tensor slot")?;
    let kappas =
        [&link.height, &link.width].map(|axis| segments_mask(&axis.kappa, Source::Contraction));
    disjoint(
        tensor
            .point
            .iter()
            .filter(|segment| segment.source == Source::Contraction)
            .map(|segment| interval(segment.end, segment.length))
            .chain(kappas),
    )
}

pub(super) fn validate_links(program: &Program) -> Result<(), ProgramError> {
    let links = &program.links;
    each("link", links, |_, link| validate_link(program, link))?;
    let steps = links.iter().fold(0_usize, |steps, link| {
        steps
            + [link.height, link.width]
                .map(|axis| axis.out * axis.kernel)
                .iter()
                .sum::<usize>()
    });
    in_range(
        "window positions",
        steps,
        0..=MAX_WINDOW_STEPS,
        "at most 2^20",
    )?;
    let rounds = links.iter().map(Link::variables).max().unwrap_or(0);
    in_range(
        "link rounds",
        program.link_rounds,
        rounds..=rounds,
        "the largest link's",
    )?;
    each("phase", &[Phase::Link], |_, phase| {
        holds(
            !links.is_empty() || is_empty_phase(program, *phase, rounds),
            "has slots but no link",
        )
    })
}

fn validate_link(program: &Program, link: &Link) -> Result<(), Reason> {
    let slot = |index: usize, phase| {
        program
            .counts
            .range(phase)
            .contains(&index)
            .then(|| &program.slots[index])
    };
    slot(link.window, Phase::Contraction)
        .filter(|slot| slot.kind == SlotKind::Virtual)
        .ok_or("its window is no virtual slot of the contraction")?;
    let tensor = slot(link.tensor, Phase::Link)
        .filter(|slot| slot.kind == SlotKind::Tensor)
        .ok_or("its tensor is no slot of the link phase")?;
    holds(
        tensor.mask(Source::Link) == interval(0, link.variables()),
        "its tensor does not have exactly its variables",
    )?;
    window_mask(program, link)?;
    validate_axis(program, &link.height)?;
    validate_axis(program, &link.width)
}

fn validate_axis(program: &Program, axis: &Axis) -> Result<(), Reason> {
    let length = |segment: &Option<crate::Segment>| segment.map_or(0, |segment| segment.length);
    for segment in axis.z.iter().chain(&axis.kappa) {
        validate_segment(program, segment, Phase::Contraction)?;
    }
    holds(
        axis.z.is_none_or(|z| z.source != Source::Contraction),
        "a position is bound by the contraction",
    )?;
    holds(
        [axis.out, axis.size, axis.kernel, axis.stride]
            .iter()
            .all(|count| *count > 0),
        "an axis is empty",
    )?;
    let fits = |count: usize, variables: usize| variables <= 16 && count <= 1 << variables;
    holds(
        fits(axis.out, length(&axis.z))
            && fits(axis.kernel, length(&axis.kappa))
            && fits(axis.size, axis.log_in),
        "an axis does not fit its segments",
    )
}

/// Returns the slots that instances and links prove, with repetitions.
pub(super) fn proven_slots(program: &Program) -> impl Iterator<Item = usize> {
    let instances = program
        .instances
        .iter()
        .filter(|instance| instance.origin == Origin::Slot)
        .map(|instance| instance.index);
    instances.chain(program.links.iter().map(|link| link.window))
}

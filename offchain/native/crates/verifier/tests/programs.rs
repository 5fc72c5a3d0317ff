//! Programs that are well encoded but contradict themselves: each is refused for its own reason.

mod common;

use common::encode::encode_program;
use common::load;
use zkdps_program::{
    Operand, Origin, Program, ProgramError, Residual, SlotKind, Source, TensorKind,
    VerificationKey, decode_program,
};

/// Returns the program of a shared vector.
fn program(name: &str) -> Program {
    let case = load("operators")
        .into_iter()
        .find(|case| case.name == name)
        .unwrap();
    VerificationKey::decode(&case.vk).unwrap().program
}

/// Returns why a changed program is refused.
fn refusal(name: &str, change: impl Fn(&mut Program)) -> &'static str {
    let mut changed = program(name);
    change(&mut changed);
    match decode_program(&encode_program(&changed)) {
        Err(ProgramError::Inconsistent { reason, .. }) => reason,
        Err(ProgramError::Value { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

fn slot_of(program: &Program, kind: SlotKind) -> usize {
    let mut slots = program.slots.iter();
    slots.position(|slot| slot.kind == kind).unwrap()
}

#[test]
fn all_programs_of_the_vectors_are_accepted() {
    for case in load("operators") {
        assert!(VerificationKey::decode(&case.vk).is_ok(), "{}", case.name);
    }
}

#[test]
fn sizes_that_no_machine_has_are_refused_before_anything_is_allocated() {
    assert_eq!(refusal("tiny", |p| p.c = 255), "chunk size");
    assert_eq!(refusal("tiny", |p| p.lambda = 255), "lambda");
    assert_eq!(refusal("tiny", |p| p.lambda += 1), "lambda");
    assert_eq!(
        refusal("tiny", |p| p.contraction_rounds += 1),
        "contraction rounds"
    );
    assert_eq!(
        refusal("gated", |p| p.product_rounds += 1),
        "product rounds"
    );
    assert_eq!(
        refusal("conv-padded", |p| p.link_rounds += 1),
        "link rounds"
    );
    assert_eq!(refusal("tiny", |p| p.degree = 3), "contraction degree");
    assert_eq!(refusal("heads", |p| p.degree = 2), "contraction degree");
    assert_eq!(refusal("tiny", |p| p.proof_chunks += 1), "proof chunks");
    let last = |p: &Program| {
        let fixed = |k: &usize| p.tensors[*k].kind == TensorKind::Fixed;
        (0..p.tensors.len()).rfind(fixed).unwrap()
    };
    let huge = refusal("tiny", |p| {
        let k = last(p);
        p.tensors[k].n = 200;
    });
    assert_eq!(huge, "does not lie in its chunk");
    let window = refusal("conv-padded", |p| p.links[0].height.out = 0xffff);
    assert_eq!(window, "an axis does not fit its segments");
}

#[test]
fn virtual_slots_are_proven_exactly_once() {
    let reason = "is not proven exactly once, or proven but not virtual";
    let twice = refusal("conv-padded", |p| p.links.push(p.links[0]));
    assert_eq!(twice, reason);
    let never = refusal("norm-layer", |p| {
        p.instances.retain(|i| i.origin == Origin::Relation);
    });
    assert!([reason, "uses a virtual slot that no instance proves"].contains(&never));
    let pointed = refusal("norm-layer", |p| {
        let slot = slot_of(p, SlotKind::Virtual);
        p.slots[slot].point = p.slots[0].point.clone();
    });
    assert_eq!(pointed, "is virtual but has a point");
}

#[test]
fn every_relation_has_exactly_its_residual() {
    let bijection = "relations and instances do not name each other once";
    let unproven = refusal("tiny", |p| {
        let spare = p.instances.len() - 1;
        p.instances[spare].index = p.instances[0].index;
    });
    assert_eq!(unproven, bijection);
    let linear = refusal("added", |p| {
        let k = p.relations_with(Residual::Linear).next().unwrap();
        p.relations[k].terms.clear();
    });
    assert_eq!(linear, "has no linear terms");
    assert_eq!(refusal("gated", |p| p.terms.clear()), "product terms");
}

#[test]
fn points_and_ids_stay_inside_the_program() {
    assert_eq!(
        refusal("tiny", |p| p.slots[0].tensor = Some(999)),
        "is not on a tensor"
    );
    assert_eq!(
        refusal("tiny", |p| p.slots[0].point[0].length += 30),
        "a segment leaves its source"
    );
    assert_eq!(
        refusal("tiny", |p| p.slots[0].point[0].source = Source::Contraction),
        "a segment uses challenges that are not drawn yet"
    );
    assert_eq!(
        refusal("tiny", |p| p.instances[0].a = 999),
        "uses a slot that is not sent yet"
    );
    assert_eq!(
        refusal("tiny", |p| p.blocks[0].columns.clear()),
        "has neither one, two nor three columns"
    );
    let tied = refusal("heads", |p| {
        let tied = |i: &zkdps_program::Instance| !i.ties.is_empty();
        let instance = p.instances.iter().position(tied).unwrap();
        p.instances[instance].ties[0].end = 250;
    });
    assert_eq!(tied, "ties coordinates in front of its own variables");
    let empty = refusal("tiny", |p| {
        let factor = &mut p.functions[0].factors[0];
        (factor.end, factor.length, factor.value) = (200, 0, 0);
    });
    assert_eq!(empty, "a factor leaves every source");
    let deep = refusal("gated", |p| {
        let factor = p.terms[0].monomials[0].factors[0];
        p.terms[0].monomials[0].factors = vec![factor; 3];
    });
    assert_eq!(deep, "has a degree above two");
    let late = refusal("gated", |p| {
        let slots = p.slots.len();
        p.terms[0].monomials[0].factors[0] = Operand::Slot(slots);
    });
    assert_eq!(late, "uses a slot that is not sent yet");
    let function = refusal("gated", |p| {
        p.terms[0].monomials[0].factors[0] = Operand::Function(99);
    });
    assert_eq!(function, "names no function");
}

//! The phases of a proof as types.

use crate::chunks::{Chunk, lay_out};
use zkdps_arguments::binding::Cells;
use zkdps_arguments::challenges::Challenges;
use zkdps_arguments::combine::combine;
use zkdps_arguments::contraction::prove_contractions;
use zkdps_arguments::link::prove_links;
use zkdps_arguments::logup::{Fingerprint, compute_inverses, prove_gkr, prove_inverses};
use zkdps_arguments::product::prove_products;
use zkdps_arguments::proving::Proving;
use zkdps_arguments::reduction::{Reduced, collect_claims, prove_reduction};
use zkdps_arguments::slots::relation_values;
use zkdps_arguments::{ArgumentError, hyperkzg, mercury};
use zkdps_field::{Fr, G1Affine};
use zkdps_program::{Form, Lookup, Opening, Phase, Program, Source, TensorKind, VerificationKey};
use zkdps_transcript::{Sender, Tag, absorb_statement};

use crate::ProveError;

/// What all phases share.
#[derive(Clone, Debug)]
struct Session<'a> {
    srs: &'a [G1Affine],
    chunks: Vec<Chunk<'a>>,
    sender: Sender,
    proving: Proving<'a>,
    inverses: Vec<Fr>,
    relations: Vec<Fr>,
}

/// The proof's chunks are committed.
#[derive(Clone, Debug)]
pub struct Committed<'a>(Session<'a>);

/// The lookups are shown, and the relations' values are fixed.
#[derive(Clone, Debug)]
pub struct LookedUp<'a>(Session<'a>);

/// Product terms are shown.
#[derive(Clone, Debug)]
pub struct Multiplied<'a>(Session<'a>);

/// Contractions are shown.
#[derive(Clone, Debug)]
pub struct Contracted<'a>(Session<'a>);

/// Everything is shown, up to claims on committed tensors.
#[derive(Clone, Debug)]
pub struct Linked<'a>(Session<'a>);

/// Everything is shown, up to one opening.
#[derive(Clone, Debug)]
pub struct Reduction<'a> {
    session: Session<'a>,
    reduced: Reduced,
}

impl<'a> Committed<'a> {
    /// Absorbs the statement and commits to the proof's chunks; `srs` has 2^c powers, `tensors` are complete.
    #[must_use]
    pub fn start(
        key: &'a VerificationKey,
        srs: &'a [G1Affine],
        statement_hash: &[u8; 32],
        tensors: &'a [Cells<'a>],
    ) -> Self {
        let program = &key.program;
        let (fixed, proof) = (program.fixed_chunks, program.proof_chunks);
        let mut chunks = lay_out(program, tensors, TensorKind::Fixed, 0, fixed);
        chunks.extend(lay_out(program, tensors, TensorKind::Proof, fixed, proof));
        let mut sender = Sender::default();
        absorb_statement(&mut sender.transcript, statement_hash, &key.hash);
        commit(&mut sender, Tag::Commit, srs, &chunks[fixed..]);
        let proving = Proving {
            program,
            tensors,
            challenges: Challenges::new(first_output(program, tensors)),
            slots: Vec::new(),
        };
        Self(Session {
            srs,
            chunks,
            sender,
            proving,
            inverses: Vec::new(),
            relations: Vec::new(),
        })
    }

    /// Proves the lookups.
    #[must_use]
    pub fn look_up(self) -> LookedUp<'a> {
        let mut session = self.0;
        let (sender, proving) = (&mut session.sender, &mut session.proving);
        let fingerprint = Fingerprint {
            beta: sender.challenge(),
            alpha: sender.challenge(),
        };
        let zeta = match proving.program.lookup {
            Lookup::Gkr => prove_gkr(sender, proving, fingerprint),
            Lookup::Inverses => {
                let inverses = compute_inverses(proving, fingerprint);
                let late = lay_out_late(proving.program, &inverses);
                commit(sender, Tag::Late, session.srs, &late);
                session.chunks.extend(late);
                let (zeta, values) = prove_inverses(sender, proving, fingerprint, inverses);
                session.inverses = values;
                zeta
            }
        };
        proving.challenges.set(Source::Zeta, zeta);
        proving.send_evaluated(sender, Phase::Leaf);
        proving.send_evaluated(sender, Phase::Direct);
        session.relations = relation_values(proving.program, &proving.challenges, &proving.slots);
        LookedUp(session)
    }
}

impl<'a> LookedUp<'a> {
    /// Proves the product terms.
    #[must_use]
    pub fn multiply(self) -> Multiplied<'a> {
        let mut session = self.0;
        prove_products(&mut session.sender, &mut session.proving);
        Multiplied(session)
    }
}

impl<'a> Multiplied<'a> {
    /// Proves the contractions.
    #[must_use]
    pub fn contract(self) -> Contracted<'a> {
        let mut session = self.0;
        prove_contractions(
            &mut session.sender,
            &mut session.proving,
            &session.relations,
        );
        Contracted(session)
    }
}

impl<'a> Contracted<'a> {
    /// Proves the links.
    #[must_use]
    pub fn link(self) -> Linked<'a> {
        let mut session = self.0;
        prove_links(&mut session.sender, &mut session.proving);
        Linked(session)
    }
}

impl<'a> Linked<'a> {
    /// Reduces all claims to one opening.
    #[must_use]
    pub fn reduce(self) -> Reduction<'a> {
        let mut session = self.0;
        let proving = &session.proving;
        let claims = collect_claims(
            proving.program,
            &proving.challenges,
            &proving.slots,
            &session.relations,
            &session.inverses,
        );
        let chunks: Vec<Cells> = session.chunks.iter().map(Chunk::cells).collect();
        let reduced = prove_reduction(&mut session.sender, proving.program, &chunks, &claims);
        Reduction { session, reduced }
    }
}

impl Reduction<'_> {
    /// Opens the combination of all chunks and returns the proof.
    ///
    /// # Errors
    /// The opening's challenge is forbidden.
    pub fn open(self) -> Result<Vec<u8>, ProveError> {
        let Reduced { point, weights } = &self.reduced;
        let mut session = self.session;
        let program = session.proving.program;
        let chunks: Vec<Cells> = session.chunks.iter().map(Chunk::cells).collect();
        let combined = combine(&chunks, weights, 1 << program.c);
        let prove_opening: Opener = match program.opening {
            Opening::HyperKzg => hyperkzg::prove_opening,
            Opening::Mercury => mercury::prove_opening,
        };
        prove_opening(&mut session.sender, session.srs, combined, point)?;
        Ok(session.sender.into_proof())
    }
}

type Opener = fn(&mut Sender, &[G1Affine], Vec<Fr>, &[Fr]) -> Result<(), ArgumentError>;

fn commit(sender: &mut Sender, tag: Tag, srs: &[G1Affine], chunks: &[Chunk]) {
    let commitments: Vec<_> = chunks.iter().map(|chunk| chunk.commit(srs)).collect();
    sender.send_points(tag, &commitments);
}

/// Returns the chunks of the inverses, which are not integers.
fn lay_out_late<'a>(program: &Program, inverses: &[Vec<Fr>]) -> Vec<Chunk<'a>> {
    let size = 1 << program.c;
    let first = program.fixed_chunks + program.proof_chunks;
    let mut chunks = vec![vec![Fr::default(); size]; program.late_chunks];
    for (id, cells) in program.late_tensors().into_iter().zip(inverses) {
        let tensor = &program.tensors[id];
        let start = tensor.addr << tensor.n;
        for (chunk, piece) in chunks[tensor.chunk - first..]
            .iter_mut()
            .zip(cells.chunks(size))
        {
            chunk[start..start + piece.len()].copy_from_slice(piece);
        }
    }
    chunks.into_iter().map(Chunk::Field).collect()
}

/// Returns the output's first element, 0 if it is committed.
fn first_output(program: &Program, tensors: &[Cells]) -> i64 {
    match program.output.form {
        Form::Bytes => tensors[program.output.tensor].integer(0),
        Form::Committed => 0,
    }
}

//! The prover's half.

use super::{Accumulators, accumulate, instance_powers, leading_point, operand_point};
use crate::logup::{LeafClaims, suffix};
use crate::reduction::Claim;
use crate::sumcheck::{Product, prove_products};
use zkdps_field::{Fr, One};
use zkdps_poly::{bind_leading_small, dot_small, eq_table};
use zkdps_program::Program;
use zkdps_transcript::{Sender, Tag};

/// Sends the biases at z_j and returns what the contractions have to show.
pub fn prove_biases(
    sender: &mut Sender,
    program: &Program,
    tensors: &[&[i64]],
    leaf: &LeafClaims,
) -> Accumulators {
    let evaluate = |tensor: usize, cols_log: usize| {
        dot_small(
            &eq_table(suffix(&leaf.zeta, cols_log), Fr::one()),
            tensors[tensor],
        )
    };
    let biases: Vec<Fr> = program
        .requants
        .iter()
        .filter_map(|entry| entry.bias.map(|tensor| evaluate(tensor, entry.cols_log)))
        .collect();
    if !biases.is_empty() {
        sender.send_scalars(Tag::Direct, &biases);
    }
    accumulate(program, leaf, biases)
}

/// Runs the contraction sum-check and returns the claims on its committed operands.
pub fn prove_contractions(
    sender: &mut Sender,
    program: &Program,
    tensors: &[&[i64]],
    zeta: &[Fr],
    values: &[Fr],
) -> Vec<Claim> {
    let nu = sender.challenge();
    let mut products: Vec<Product> = instance_powers(program, nu)
        .zip(&program.instances)
        .zip(program.requants.iter().zip(values))
        .map(|((power, instance), (entry, value))| {
            let [a, b] = [&instance.a, &instance.b].map(|operand| {
                let weights = eq_table(&leading_point(operand, zeta), Fr::one());
                bind_leading_small(tensors[operand.tensor], &weights)
            });
            Product {
                coefficient: power * Fr::from(entry.m),
                claim: power * value,
                a,
                b,
            }
        })
        .collect();
    let r_c = prove_products(sender, Tag::ContractRound, &mut products, program.rounds);
    let claims: Vec<Claim> = program
        .instances
        .iter()
        .zip(&products)
        .flat_map(|(instance, product)| {
            [(&instance.a, &product.a), (&instance.b, &product.b)].map(|(operand, folded)| Claim {
                tensor: operand.tensor,
                point: operand_point(operand, instance.variables, zeta, &r_c),
                value: folded[0],
            })
        })
        .filter(|claim| !program.tensors[claim.tensor].is_public())
        .collect();
    if !claims.is_empty() {
        sender.send_scalars(
            Tag::ContractFinal,
            &claims.iter().map(|c| c.value).collect::<Vec<_>>(),
        );
    }
    claims
}

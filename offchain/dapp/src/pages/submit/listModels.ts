// The models that can be asked: listed by the gateway's index, each then read from the chain and checked.
import { loadModel } from "../../app/models";
import type { Services } from "../../app/services";
import type { AsOf, Page, VersionId } from "../../protocol";
import type { Listed } from "./ModelChoice";

type VersionRow = {
  readonly id: VersionId;
  readonly number: number;
  readonly title: string | null;
};

const MOST = 50;

export type Listing = { readonly asOf: AsOf; readonly listed: readonly Listed[] };

export async function listModels(services: Services, signal: AbortSignal): Promise<Listing> {
  const page = await services.gateway.get<Page<VersionRow>>(`/versions?limit=${MOST}`, signal);
  const rows = page.items.toSorted((a, b) => a.number - b.number);
  const listed = await Promise.all(rows.map((row) => describe(services, row, signal)));
  return { asOf: page.asOf, listed };
}

async function describe(services: Services, row: VersionRow, signal: AbortSignal): Promise<Listed> {
  try {
    const model = await loadModel(services, row.id);
    return { id: row.id, model, agreement: await readAgreement(services, row.id, signal) };
  } catch {
    // Not to be had, or not what was registered: it is listed as unusable, with the others' reasons of its own page.
    return { id: row.id, model: null, title: row.title ?? `Version ${row.number}` };
  }
}

/** Share of held-out rows on which integer and original network name the same class; null without a report. */
async function readAgreement(
  { gateway }: Services,
  id: VersionId,
  signal: AbortSignal,
): Promise<number | null> {
  type Answer = { report: { sets?: { heldOut?: { agreement?: unknown } } } | null };
  const answer = await gateway.get<Answer>(`/versions/${id}`, signal).catch(() => null);
  const agreement = answer?.report?.sets?.heldOut?.agreement;
  return typeof agreement === "number" ? agreement : null;
}

// Ordering an inference: model, input, price, one confirmation.
import { useEffect, useMemo, useState } from "react";
import { computeLeastFee, suggestFee } from "../../app/fees";
import type { Model } from "../../app/models";
import { useRoute } from "../../app/router";
import { useHead, useServices } from "../../app/services";
import { recall, remember } from "../../app/storage";
import { useData } from "../../app/useData";
import { Async, Card, Empty, PageHead } from "../../components/basics";
import type { Grid } from "../../inputs/grid";
import type { ProtocolTime } from "../../protocol";
import { SUBMIT } from "../../texts";
import { buildTensor, type Draft, keepDraft, openDraft } from "./draft";
import { GridInput } from "./GridInput";
import { type Listing, listModels } from "./listModels";
import { ModelChoice } from "./ModelChoice";
import { NumbersInput } from "./NumbersInput";
import { Order } from "./Order";
import { PriceChoice } from "./PriceChoice";
import { TextInput } from "./TextInput";

const REFRESH_MS = 15_000;

export function SubmitPage() {
  const services = useServices();
  const { query } = useRoute();
  const version = query.get("version"); // the explorer's links choose a model
  const data = useData("models", (signal) => listModels(services, signal), REFRESH_MS);
  return (
    <>
      <PageHead title={SUBMIT.title}>
        <p>{SUBMIT.lead}</p>
      </PageHead>
      <Async data={data} lines={6}>
        {(listing) => <Form key={version} listing={listing} version={version} />}
      </Async>
    </>
  );
}

function Form({ listing, version }: { listing: Listing; version: string | null }) {
  const [wanted, setWanted] = useState(() => version ?? recall<string>("model"));
  const usable = listing.listed.filter((entry) => entry.model !== null);
  const chosen = usable.find(({ id }) => id === wanted) ?? usable[0];
  const choose = (id: string) => {
    remember("model", id);
    setWanted(id);
  };
  if (listing.listed.length === 0) {
    return (
      <Card>
        <Empty title="No models yet">
          <p>{SUBMIT.noModels}</p>
        </Empty>
      </Card>
    );
  }
  const choice = (
    <Card title={<Step number={1}>Choose a model</Step>}>
      <ModelChoice listed={listing.listed} chosen={chosen?.id ?? null} onChoose={choose} />
    </Card>
  );
  if (chosen === undefined) return choice;
  return (
    <ModelForm key={chosen.id} model={chosen.model}>
      {choice}
    </ModelForm>
  );
}

/** The rest of the form; made anew for another model. */
function ModelForm({ model, children }: { model: Model; children: React.ReactNode }) {
  const [draft, setDraft] = useState<Draft>(() => openDraft(model));
  const [isProofRequired, setIsProofRequired] = useState(false);
  const [feeText, setFeeText] = useState<string | null>(null);
  const tensor = useMemo(() => buildTensor(model, draft), [model, draft]);
  const prices = usePrices(model, isProofRequired);

  useEffect(() => keepDraft(model, draft), [model, draft]);

  return (
    <div className="columns">
      <div className="stack loose">
        {children}
        <Card title={<Step number={2}>Your input</Step>}>
          <Input model={model} draft={draft} onChange={setDraft} />
        </Card>
        <Card title={<Step number={3}>Price and protection</Step>}>
          <PriceChoice
            model={model}
            isProofRequired={isProofRequired}
            onProofRequired={setIsProofRequired}
            feeText={feeText}
            onFeeText={setFeeText}
            prices={prices}
          />
        </Card>
      </div>
      <Order
        model={model}
        draft={draft}
        tensor={tensor}
        isProofRequired={isProofRequired}
        feeText={feeText}
        prices={prices}
      />
    </div>
  );
}

export type Prices = {
  readonly suggested: bigint;
  /** What the contract asks for at least. */
  readonly least: bigint;
  /** The same, of a job that requires a proof. */
  readonly proof: bigint;
  readonly time: ProtocolTime;
};

/** What it costs at the newest block; null before the first one is known. */
function usePrices(model: Model, isProofRequired: boolean): Prices | null {
  const { deployment } = useServices();
  const { reading } = useHead();
  if (reading === null) return null;
  const { parameters } = deployment;
  const { block } = reading.time;
  return {
    suggested: suggestFee(parameters, model.version, block, isProofRequired),
    least: computeLeastFee(parameters, model.version, block, isProofRequired),
    proof: computeLeastFee(parameters, model.version, block, true),
    time: reading.time,
  };
}

type InputProps = {
  readonly model: Model;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
};

function Input({ model, draft, onChange }: InputProps) {
  const spec = model.face.input;
  if (spec.kind === "image") {
    if (!("grid" in draft)) return null;
    return (
      <GridInput
        spec={spec}
        grid={draft.grid}
        onChange={(grid) => onChange({ grid })}
        examples={readExamples(spec, spec.height * spec.width)}
      />
    );
  }
  if (!("text" in draft)) return null;
  const change = (text: string) => onChange({ text });
  if (spec.kind === "text") {
    return <TextInput text={draft.text} hi={spec.hi} onChange={change} examples={spec.examples} />;
  }
  const { shape, lo, hi } = spec;
  const count = shape.reduce((product, size) => product * size, 1);
  return (
    <NumbersInput
      text={draft.text}
      shape={shape}
      lo={lo}
      hi={hi}
      onChange={change}
      examples={readExamples(spec, count)}
    />
  );
}

/** Inputs that the publisher offers to try; whatever does not fit the model is left out. */
function readExamples(spec: object, count: number): readonly Grid[] {
  const { examples } = spec as { examples?: unknown };
  if (!Array.isArray(examples)) return [];
  return examples.filter(
    (example): example is number[] =>
      Array.isArray(example) && example.length === count && example.every(Number.isInteger),
  );
}

function Step({ number, children }: { number: number; children: React.ReactNode }) {
  return (
    <span className="step">
      <span className="step-number" aria-hidden="true">
        {number}
      </span>
      {children}
    </span>
  );
}

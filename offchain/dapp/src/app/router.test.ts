import { expect, test } from "vitest";
import { link, parseRoute } from "./router";

test("an address splits into path and query", () => {
  const route = parseRoute("#/jobs/0x12?tab=events");
  expect(route.path).toEqual(["jobs", "0x12"]);
  expect(route.query.get("tab")).toBe("events");
});

test("no address is the empty path", () => {
  expect(parseRoute("").path).toEqual([]);
  expect(parseRoute("#/").path).toEqual([]);
});

test("a link leads back to its path, whatever is in it", () => {
  const path = ["jobs", "a/b ü?%"];
  expect(parseRoute(link(...path)).path).toEqual(path);
});

test("a stray per cent sign is kept, not thrown at the reader", () => {
  expect(parseRoute("#/jobs/100%").path).toEqual(["jobs", "100%"]);
});

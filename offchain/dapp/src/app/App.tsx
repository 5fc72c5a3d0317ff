// Which page an address shows.
import type { ReactNode } from "react";
import { Shell } from "../components/Shell";
import { NotFound } from "../pages/NotFound";
import { type Route, useRoute } from "./router";

export function App() {
  const route = useRoute();
  return (
    <Shell route={route} tools={null} footer={<span>Nobody has audited any of this.</span>}>
      {choosePage(route)}
    </Shell>
  );
}

function choosePage(route: Route): ReactNode {
  switch (route.path[0] ?? "submit") {
    default:
      return <NotFound />;
  }
}

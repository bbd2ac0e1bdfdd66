// The official OpenRouter provider of the AI SDK against a router: one scenario, whose result is one line of JSON.
//
//     node clients.mjs <scenario> '{"baseURL": …, "apiKey": …, "model": …, "toolModel": …, "picture": …}'
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { generateObject, generateText, streamObject, streamText, tool } from "ai";
import { z } from "zod";

const [scenario, given] = process.argv.slice(2);
const { baseURL, apiKey, model, toolModel, picture } = JSON.parse(given);
const openrouter = createOpenRouter({ baseURL, apiKey });
const image = Uint8Array.from(Buffer.from(picture, "base64"));
const seeing = (text) => [{ role: "user", content: [{ type: "image", image }, { type: "text", text }] }];
const shape = z.object({ colour: z.enum(["blue", "red"]), count: z.literal([1, 2, 3]) });
const weather = tool({
  description: "Get the weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, weather: "sunny" }),
});
const quiet = { maxRetries: 0, temperature: 0 };

const scenarios = {
  async generateText() {
    const messages = seeing("Describe the picture.");
    const { text, usage, finishReason, response } = await generateText({
      ...quiet,
      model: openrouter.chat(model),
      messages,
      maxOutputTokens: 24,
    });
    return { text, usage, finishReason, id: response.id };
  },

  async streamText() {
    const result = streamText({
      ...quiet,
      model: openrouter.chat(model),
      messages: seeing("Describe the picture."),
      maxOutputTokens: 24,
      onError: () => {},
    });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    const metadata = await result.providerMetadata;
    return { pieces, usage: await result.usage, finishReason: await result.finishReason, metadata };
  },

  async generateObject() {
    const messages = seeing("Describe the picture.");
    const { object, usage } = await generateObject({ ...quiet, model: openrouter.chat(toolModel), schema: shape, messages });
    return { object, usage };
  },

  async streamObject() {
    const result = streamObject({
      ...quiet,
      model: openrouter.chat(toolModel),
      schema: shape,
      messages: seeing("Describe the picture."),
    });
    for await (const partial of result.partialObjectStream) void partial;
    return { object: await result.object };
  },

  async generateTextWithTools() {
    const { toolCalls, finishReason } = await generateText({
      ...quiet,
      model: openrouter.chat(toolModel),
      prompt: "What is the weather in Paris?",
      tools: { get_weather: weather },
      toolChoice: "required",
    });
    return { calls: toolCalls.map(({ toolName, input }) => ({ toolName, input })), finishReason };
  },

  async streamTextWithTools() {
    const result = streamText({
      ...quiet,
      model: openrouter.chat(toolModel),
      prompt: "What is the weather in Paris?",
      tools: { get_weather: weather },
      toolChoice: "required",
      onError: () => {},
    });
    const kinds = new Set();
    for await (const part of result.fullStream) kinds.add(part.type);
    const calls = (await result.toolCalls).map(({ toolName, input }) => ({ toolName, input }));
    const results = (await result.toolResults).map(({ output }) => output);
    return { kinds: [...kinds], calls, results };
  },

  async embed() {
    const { embed } = await import("ai");
    const { embedding, usage } = await embed({ model: openrouter.textEmbeddingModel(model), value: "blue" });
    return { embedding, usage };
  },

  async failure() {
    try {
      await generateText({ ...quiet, model: openrouter.chat("m/none"), prompt: "Hello?" });
    } catch (error) {
      return { name: error.name, statusCode: error.statusCode, message: error.message };
    }
    return {};
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));

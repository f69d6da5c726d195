// Fields that formats know, so that new ones are told (drift.ts): those of the samples at hand and of the types that
// clients publish. MCP and OTLP are open by design and have no list.
import type { KnownFields } from "../drift.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

export const CLAUDE_CODE_FIELDS: KnownFields = {
  "": words(
    "agentId agentName aiTitle answer apiErrorStatus apiRefusalCategory apiRefusalExplanation atis " +
      "attachment attributionAgent attributionMcpServer attributionMcpTool attributionPlugin " +
      "attributionSkill bridgeSessionId cause classifierMetaLines compactMetadata content customTitle cwd " +
      "data direction durationMs effort entrypoint error errorDetails fallbackModel file forkedFrom " +
      "frameUrl gitBranch hasOutput hookAdditionalContext hookCount hookErrors hookInfos imagePasteIds " +
      "input interruptedByShutdown interruptedMessageId isAbortedMidStream isApiErrorMessage " +
      "isCompactSummary isMeta isSidechain isSnapshotUpdate isVisibleInTranscriptOnly key lastPrompt " +
      "lastSequenceNum leafUuid level logicalParentUuid maxRetries mcpMeta message messageCount messageId " +
      "mode name operation origin originalModel output ownerAccountUuid ownerOrganizationUuid " +
      "parentToolUseID parentUuid path pendingBackgroundAgentCount permissionMode prNumber prRepository " +
      "prUrl preventedContinuation project prompt promptId promptSource refusedUserMessageUuid relocatedCwd " +
      "requestId result retractedMessageUuids retryAttempt retryInMs scope sessionId sessionKind session_id " +
      "slug snapshot snippet source sourceToolAssistantUUID sourceToolUseID status stopReason subtype " +
      "summary supersedesUuids thinkingMetadata timestamp title todos toolDenialKind toolEndsTurn toolUseID " +
      "toolUseResult trigger turnCompanion type userType uuid version worktreeSession",
  ),
  message: words(
    "container content context_management diagnostics id model role stop_details stop_reason " +
      "stop_sequence type usage",
  ),
};
export const CODEX_FIELDS: KnownFields = {
  "": words(
    "arguments call_id content created_at encrypted_content error function git id instructions item " +
      "message model name ordinal output payload record_type result role summary thread_id timestamp type " +
      "usage",
  ),
  payload: words(
    "action action_name active_permission_profile agent_nickname agent_path agent_role agent_statuses " +
      "agent_thread_id aggregated_output answer app_name approval_policy approvals_reviewer arguments audio " +
      "author base_instructions callId call_id changes cli_version client_id codex_error_info " +
      "collaboration_mode collaboration_mode_kind command comp_hash completed_at completed_at_ms " +
      "connector_id content content_items context_window current_date cwd decision_source " +
      "developer_instructions duration duration_ms dynamic_tools effort encrypted_content error event_id " +
      "execution exit_code file_system_sandbox_policy final_output_json_schema first_window_id " +
      "forked_from_id formatted_output full function ghost_commit git goal history_mode id images info " +
      "input instructions internal_chat_message_metadata_passthrough invocation item item_id kind " +
      "last_agent_message link_id local_audio local_images memory_citation memory_mode message metadata " +
      "model model_context_window model_provider multi_agent_mode multi_agent_version name namespace " +
      "new_agent_nickname new_agent_role new_thread_id occurred_at_ms originator output parent_thread_id " +
      "parsed_cmd path payload permission_profile personality phase plugin_id previous_window_id process_id " +
      "prompt query rate_limits rationale read_only_hint realtime_active reason reasoning_effort " +
      "receiver_agent_nickname receiver_agent_role receiver_thread_id recipient replacement_history result " +
      "results review_output revised_prompt risk_level role sandbox_policy saved_path sender_thread_id " +
      "session_id source started_at started_at_ms state status statuses stderr stdout success summary " +
      "target target_item_id text text_elements threadId thread_id thread_name thread_settings " +
      "thread_source time_to_first_token_ms timestamp timezone tool tools trigger_turn truncation_policy " +
      "turnId turn_id type usage user_authorization user_facing_hint user_instructions window_id " +
      "window_number workspace_roots",
  ),
};
export const COPILOT_FIELDS: KnownFields = {
  "": words("_meta agentId data ephemeral id parentId timestamp type"),
  data: words(
    "agentDescription agentDisplayName agentName alreadyInUse answer apiCallId arguments attachments " +
      "availableModels cacheReadTokens cacheWriteTokens candidateModels categoryScores chosenModel " +
      "chosenShortfall chunkCount chunkIndex clientRequestId codeChanges confidence content context " +
      "contextTier conversationTokens copilotVersion currentModel currentTokens decisionSource delivery " +
      "deltaContent droppedTokens duration durationMs encryptedContent endToEndLatencyMs error errorCode " +
      "errorMessage errorType eventCount eventsFileSizeBytes fallback fullCommandText hasImage " +
      "hookInvocationId hookType infoType input inputTokens intention interactionId kind " +
      "mcpConfigServerName mcpServerName mcpToolName mcpTransport message messageId " +
      "messagesRemovedDuringTruncation mode model modelCacheState modelMetrics newMode newModel " +
      "outputTokens parentAgentTaskId parentToolCallId performedBy permissionRequest " +
      "postTruncationMessagesLength postTruncationTokensInMessages preTruncationMessagesLength " +
      "preTruncationTokensInMessages predictedLabel previousMode previousModel producer providerCallId " +
      "reason reasoningBucket reasoningEffort reasoningId reasoningOpaque reasoningText remoteSteerable " +
      "requestId result resumeTime role routerLatencyMs routingMethod rte selectedModel serverName servers " +
      "serviceRequestId sessionId sessionStartTime shellToolInfo shutdownType stack startTime status " +
      "statusCode stickyOverride success supportedNativeDocumentMimeTypes systemTokens tokenDetails " +
      "tokenLimit tokensRemovedDuringTruncation toolCallId toolDefinitionsTokens toolName toolRequests " +
      "toolTelemetry totalApiDurationMs totalNanoAiu totalPremiumRequests totalTokens totalToolCalls " +
      "transformedContent turnId url version",
  ),
};
export const CURSOR_FIELDS: KnownFields = {
  "": words("annotations conversation error message metadata model role status timestamp type"),
};
export const GEMINI_FIELDS: KnownFields = {
  "": words(
    "$rewindTo $set content directories displayContent history id kind lastUpdated messages meta model " +
      "projectHash sessionId startTime start_time summary thoughts timestamp tokens toolCalls type",
  ),
};
export const HOOK_FIELDS: KnownFields = {
  payload: words(
    "_meta action agentName agent_action_name agent_id agent_transcript_path agent_type arguments " +
      "assistant_response attachments background_tasks command command_args command_name command_source " +
      "compact_summary composer_mode content context_tokens conversation_id cursor_version " +
      "customInstructions custom_instructions cwd delta details directory duration duration_ms edits effort " +
      "elicitation_id error errorContext error_details error_message estimated_cache_write_usd event " +
      "execution_id expansion_type failure_type file_path final finalMessage from_model generation_id globs " +
      "hookEventName hook_event_name index initialPrompt is_interrupt last_assistant_message llm_request " +
      "llm_response load_reason loop_count mcp_context mcp_server mcp_server_name memory_type message " +
      "message_id mode model model_name name new_cwd notification_type old_cwd original_request_name output " +
      "parent_file_path permission_mode permission_suggestions prompt prompt_cache_likely_expired prompt_id " +
      "prompt_response reason recoverable requested_model requested_schema result_json " +
      "seconds_since_last_response serverName server_name sessionId session_crons session_id session_title " +
      "source status stopHookActive stopReason stop_hook_active task_description task_id task_subject " +
      "team_name teammate_name text timestamp title to_model toolArgs toolCallId toolInput toolName " +
      "toolResult tool_calls tool_info tool_input tool_name tool_output tool_response tool_result " +
      "tool_use_id trajectory_id transcriptPath transcript_path transformedPrompt trigger trigger_file_path " +
      "turn_id url user_email workingDirectory workspace_roots worktree_path",
  ),
};
